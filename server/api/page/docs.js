// The operations of openapi.json as a page. Everything is put in as text, never as markup.

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// A text with what stands between backticks as code.
function worded(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

class Description {
  constructor(document) {
    this.document = document;
  }

  follow(item) {
    if (!item || !item.$ref) return item ?? {};
    const parts = item.$ref.slice(2).split("/").map((part) => decodeURIComponent(part));
    const found = parts.reduce((place, part) => place?.[part], this.document);
    return this.follow(found);
  }

  // A value that suits a schema: its example or default, or the plainest one.
  example(schema, depth = 0) {
    const found = this.follow(schema);
    if (found.examples?.length) return found.examples[0];
    if ("default" in found) return found.default;
    if ("const" in found) return found.const;
    if (found.enum) return found.enum[0];
    const choice = found.anyOf ?? found.oneOf;
    if (choice && !found.properties) return this.example(choice[0], depth + 1);
    if (found.allOf) return Object.assign({}, ...found.allOf.map((each) => this.example(each, depth + 1)));
    if (found.type === "object" || found.properties) {
      if (depth > 5) return {};
      const required = new Set([...(found.required ?? []), ...(found.oneOf?.[0]?.required ?? [])]);
      const shown = Object.entries(found.properties ?? {}).filter(
        ([name, each]) => required.has(name) || name === "inputs" || (depth > 0 && "default" in this.follow(each)),
      );
      return Object.fromEntries(shown.map(([name, each]) => [name, this.example(each, depth + 1)]));
    }
    if (found.type === "array") return depth > 5 ? [] : [this.example(found.items, depth + 1)];
    if (found.type === "integer" || found.type === "number") return found.minimum ?? 0;
    if (found.type === "boolean") return false;
    return found.type === "string" ? "text" : null;
  }

  kind(schema) {
    const found = this.follow(schema);
    const name = schema?.$ref?.split("/").pop();
    if (name) return name;
    const choice = found.anyOf ?? found.oneOf;
    if (choice) return choice.map((each) => this.kind(each)).join(" | ");
    if (found.type === "array") return `${this.kind(found.items)}[]`;
    if (found.enum) return found.enum.map((each) => JSON.stringify(each)).join(" | ");
    const limits = [];
    if (found.minimum !== undefined) limits.push(`from ${found.minimum}`);
    if (found.maximum !== undefined) limits.push(`to ${found.maximum}`);
    return [found.type ?? "any", ...limits].join(" ");
  }
}

function fields(description, schema) {
  const found = description.follow(schema);
  const parts = found.allOf ? found.allOf.map((each) => description.follow(each)) : [found];
  const properties = Object.assign({}, ...parts.map((each) => each.properties ?? {}));
  const rows = Object.entries(properties).map(([name, each]) => {
    const value = description.follow(each);
    const text = [value.description ?? each.description ?? ""];
    if (value.default !== undefined && value.default !== null) text.push(`Default ${JSON.stringify(value.default)}.`);
    return make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, description.kind(each)), make("td", {}, ...worded(text.join(" "))));
  });
  return rows.length ? [make("table", {}, ...rows)] : [];
}

function curl(description, path, method, operation) {
  const lines = [`curl -X ${method.toUpperCase()} "$DARKROOM${path}"`];
  if (operation.security?.length) lines.push(`-H "Authorization: Bearer $TOKEN"`);
  const content = operation.requestBody?.content ?? {};
  const json = content["application/json"];
  if (json) {
    lines.push(`-H "Content-Type: application/json"`);
    lines.push(`-d '${JSON.stringify(description.example(json.schema)).replaceAll("'", "'\\''")}'`);
  } else if (content["multipart/form-data"]) {
    lines.push("-F file=@picture.png");
  }
  return lines.join(" \\\n  ");
}

function trial(description, path, method, operation) {
  const parameters = (operation.parameters ?? []).map((each) => description.follow(each)).filter((each) => each.in !== "header");
  const inputs = parameters.map((each) => [each, make("input", { placeholder: description.kind(each.schema), "aria-label": each.name })]);
  const json = operation.requestBody?.content?.["application/json"];
  const body = json && make("textarea", { "aria-label": "Body", spellcheck: "false" }, JSON.stringify(description.example(json.schema), null, 2));
  const answer = make("pre", { hidden: "", "aria-live": "polite" });
  const send = async () => {
    let address = path;
    const query = new URLSearchParams();
    for (const [each, input] of inputs) {
      if (each.in === "path") address = address.replace(`{${each.name}}`, encodeURIComponent(input.value));
      else if (input.value !== "") query.append(each.name, input.value);
    }
    if ([...query].length) address += `?${query}`;
    answer.hidden = false;
    answer.textContent = "…";
    const headers = body ? { "Content-Type": "application/json" } : {};
    try {
      const response = await fetch(address, { method: method.toUpperCase(), headers, body: body?.value });
      const type = response.headers.get("Content-Type") ?? "";
      let text = /json|text/.test(type) ? await response.text() : `${type}`;
      if (type.includes("json")) text = JSON.stringify(JSON.parse(text), null, 2);
      answer.textContent = `${response.status} ${response.statusText}\n${text}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  };
  const rows = inputs.map(([each, input]) => make("tr", {}, make("td", {}, make("code", {}, each.name)), make("td", {}, input)));
  return [make("h3", {}, "Try it"), make("table", {}, ...rows), ...(body ? [body] : []), make("p", {}, make("button", { onclick: send }, "Send")), answer];
}

function streams(operation) {
  return Object.entries(operation.responses).some(([status, each]) => status === "101" || each.content?.["text/event-stream"]);
}

function inside(description, path, method, operation) {
  const parts = [];
  if (operation.description) parts.push(make("p", {}, ...worded(operation.description)));
  const scope = operation.security?.[0] && Object.values(operation.security[0])[0]?.[0];
  parts.push(make("p", { class: "scope" }, scope ? `Needs the scope ${scope}.` : "Open to everybody."));
  const parameters = (operation.parameters ?? []).map((each) => description.follow(each));
  if (parameters.length) {
    const rows = parameters.map((each) =>
      make("tr", {}, make("td", {}, make("code", {}, each.name)), make("td", {}, `${each.in}, ${description.kind(each.schema)}`), make("td", {}, ...worded(each.description))),
    );
    parts.push(make("h3", {}, "Parameters"), make("table", {}, ...rows));
  }
  const json = operation.requestBody?.content?.["application/json"];
  if (json) {
    parts.push(make("h3", {}, "Body"), ...fields(description, json.schema));
    const typed = description.follow(json.schema).properties?.inputs;
    if (typed?.properties) parts.push(make("h3", {}, "Inputs"), ...fields(description, typed));
  }
  parts.push(make("h3", {}, "Answers"));
  for (const [status, each] of Object.entries(operation.responses)) {
    const found = description.follow(each);
    parts.push(make("p", {}, make("code", {}, status), " ", ...worded(found.description)));
    const schema = found.content?.["application/json"]?.schema;
    if (schema) parts.push(...fields(description, schema));
  }
  parts.push(make("h3", {}, "With curl"), make("pre", {}, curl(description, path, method, operation)));
  if (!streams(operation)) parts.push(...trial(description, path, method, operation));
  return parts;
}

function entry(description, path, method, operation) {
  const summary = make("summary", {}, make("b", {}, method.toUpperCase()), make("code", {}, path), make("span", {}, ...worded(operation.summary)));
  const body = make("div", { class: "body" });
  const element = make("details", { class: `operation ${method}`, id: operation.operationId }, summary, body);
  element.dataset.text = `${method} ${path} ${operation.summary}`.toLowerCase();
  element.addEventListener("toggle", () => {
    if (element.open && !body.hasChildNodes()) body.append(...inside(description, path, method, operation));
  });
  return element;
}

function show(document_) {
  const description = new Description(document_);
  const sections = new Map(document_.tags.map((tag) => [tag.name, []]));
  for (const [path, operations] of Object.entries(document_.paths)) {
    for (const method of METHODS) {
      const operation = operations[method];
      if (operation) sections.get(operation.tags[0])?.push(entry(description, path, method, operation));
    }
  }
  document.querySelector("#about").textContent = `${document_.info.summary} Version ${document_.info.version}.`;
  for (const [name, entries] of sections) {
    const id = `tag-${name.replaceAll(" ", "-")}`;
    document.querySelector("#tags").append(make("a", { href: `#${id}` }, name));
    document.querySelector("#operations").append(make("section", { id }, make("h2", {}, name), ...entries));
  }
}

document.querySelector("#find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const section of document.querySelectorAll("section")) {
    const entries = [...section.querySelectorAll("details")];
    for (const each of entries) each.hidden = !each.dataset.text.includes(wanted);
    section.hidden = entries.every((each) => each.hidden);
  }
});

const response = await fetch("openapi.json");
if (response.ok) show(await response.json());
else document.querySelector("#about").textContent = `The description could not be read: ${response.status}.`;
const opened = location.hash && document.getElementById(location.hash.slice(1));
if (opened instanceof HTMLDetailsElement) opened.open = true;
opened?.scrollIntoView();
