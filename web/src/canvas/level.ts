import { createContext } from "react";

/** How much of a node is drawn: all, title and picture, or a block of colour. */
export type Level = "near" | "far" | "block";

export const levelAt = (zoom: number): Level =>
  zoom < 0.2 ? "block" : zoom < 0.45 ? "far" : "near";

export const LevelContext = createContext<Level>("near");
