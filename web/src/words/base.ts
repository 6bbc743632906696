/** Texts that stand above the parts: the name, the connection, errors of any request. */
export const base = {
  "app.name": "Darkroom",
  "connection.connecting": "Connecting",
  "connection.open": "Connected",
  "connection.lost": "The server is away. Your work is kept here; trying again.",
  "connection.back": "The server is back.",
  "error.unreachable": "The server does not answer. Your work is kept here; try again in a moment.",
  "error.unreadable":
    "Something between this page and the server answered instead of it (status {status}).",
  "error.aborted": "Given up.",
  "error.unauthorized": "You have to log in again. Your work is kept here.",
  "error.precondition_failed": "Somebody saved this workflow after you opened it.",
  "error.precondition_required": "A workflow of this name is there already.",
  "error.own": "That did not work: {why}",
  "error.hint": "{message}: {hint}",
} as const satisfies Record<string, string>;
