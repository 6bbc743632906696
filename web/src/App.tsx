/** The whole editor. */
export function App() {
  return <main>Darkroom</main>;
}
