/** Where the tabs are kept while nothing was saved: the browser's database, apart from files. */

/** A tab as it is kept. */
export interface Draft {
  readonly id: string;
  /** The browser window to which it belongs. */
  readonly owner: string;
  readonly place: number;
  /** JSON; what is in it is checked when the tab is made of it. */
  readonly content: string;
}

/** Why a draft could not be kept. */
export type DraftFault = "quota" | "closed";

const STORE = "drafts";

/** The drafts of all windows of this browser. */
export class Drafts {
  private database: Promise<IDBDatabase> | undefined;

  constructor(private readonly name = "darkroom") {}

  async all(): Promise<readonly Draft[]> {
    const store = (await this.open()).transaction(STORE).objectStore(STORE);
    const found: unknown = await answered(store.getAll());
    return Array.isArray(found) ? found.filter(isDraft) : [];
  }

  /** The draft of this id; none too if the browser keeps no drafts. */
  async one(id: string): Promise<Draft | null> {
    try {
      const store = (await this.open()).transaction(STORE).objectStore(STORE);
      const found: unknown = await answered(store.get(id));
      return isDraft(found) ? found : null;
    } catch {
      return null;
    }
  }

  /** Keep one; what goes wrong is told, never thrown, for the editor goes on without. */
  async keep(draft: Draft): Promise<DraftFault | null> {
    return this.change((store) => store.put(draft));
  }

  async drop(id: string): Promise<DraftFault | null> {
    return this.change((store) => store.delete(id));
  }

  private async change(act: (store: IDBObjectStore) => unknown): Promise<DraftFault | null> {
    try {
      const transaction = (await this.open()).transaction(STORE, "readwrite");
      act(transaction.objectStore(STORE));
      await finished(transaction);
      return null;
    } catch (error) {
      return isQuota(error) ? "quota" : "closed";
    }
  }

  private open(): Promise<IDBDatabase> {
    this.database ??= opened(this.name);
    return this.database;
  }
}

function opened(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(asError(request.error));
  });
}

function answered(request: IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(asError(request.error));
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(asError(transaction.error));
    transaction.onerror = () => reject(asError(transaction.error));
  });
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error("The browser's database does not answer");

function isQuota(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}

function isDraft(value: unknown): value is Draft {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    "owner" in value &&
    "place" in value &&
    "content" in value
  );
}
