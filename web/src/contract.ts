/** What the page promises to whoever drives it: `window.editor`. */

import type { Json } from "./graph/document";
import { printWorkflow } from "./graph/read";
import { useEditor } from "./state/store";
import { activeWorkflow } from "./state/tabs";

declare global {
  interface Window {
    editor: {
      /** The workflow document as it would be saved. */
      readonly export: () => Json;
      /** The same as the text of its file, for numbers that JavaScript rounds. */
      readonly exportText: () => string;
    };
  }
}

export function keepContract(): void {
  const exportText = () => printWorkflow(activeWorkflow(useEditor.getState()));
  window.editor = {
    exportText,
    export: () => {
      const document: Json = JSON.parse(exportText());
      return document;
    },
  };
}
