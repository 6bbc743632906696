/** What the server says, by short names. All of it comes from the server's own description. */

import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Fault = Schemas["Fault"];
export type ProblemDocument = Schemas["ProblemDocument"];
export type Failure = Schemas["FailureView"];

export type WorkflowEntry = Schemas["WorkflowEntry"];
export type WorkflowVersion = Schemas["VersionView"];
export type Opened = Schemas["OpenedView"];
export type ModelList = Schemas["ModelList"];
export type Signature = Schemas["SignatureView"];

export type Submission = WithDocument<Schemas["Submission"]>;
export type Question = WithDocument<Schemas["Graph"]>;
export type Explanation = WithDocument<Schemas["Explained"]>;
export type Verdict = Schemas["Verdict"];
export type Plan = Schemas["PlanView"];
export type PlannedNode = Schemas["PlannedView"];
export type Explained = Schemas["ExplainedView"];

export type Job = Schemas["JobView"];
export type JobState = Job["state"];
export type JobPage = Schemas["JobPage"];
export type JobNode = Schemas["NodeView"];
export type JobOutput = Schemas["OutputView"];
export type OutputFile = Schemas["FileView"];
export type OutputList = Schemas["OutputList"];
export type GalleryFile = Schemas["GalleryFile"];
export type GalleryPage = Schemas["GalleryPage"];
export type Queue = Schemas["QueueView"];
export type QueuePlace = Partial<Schemas["Place"]>;

export type Upload = Schemas["Upload"];
export type NewUpload = Schemas["NewUpload"];
export type NodeTypes = Schemas["NodeTypes"];
export type Store = Schemas["StoreView"];
export type System = Schemas["SystemView"];
export type Worker = Schemas["WorkerView"];
export type Health = Schemas["Health"];
export type Me = Schemas["Me"];

/** A document as JSON; what is in it is the business of `graph`. */
export interface DocumentJson {
  /** The version of its form; a server refuses one that it does not know. */
  readonly darkroom: number;
  readonly [key: string]: unknown;
}

type WithDocument<Body> = Omit<Body, "document"> & { readonly document?: DocumentJson };

export type JsonRecord = Readonly<Record<string, unknown>>;
