// Requests to the server that this page came from, and elements made of what it says.

class ServerError extends Error {
  constructor(status, said) {
    super(said);
    this.status = status;
  }
}

// Paths are relative: the server may be below a path of another one.
async function request(path, body) {
  const token = sessionStorage.getItem("tfkit-token");
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const method = body === undefined ? "GET" : "POST";
  const response = await fetch(path, { method, headers, body, cache: "no-store" });
  const said = await response.text();
  if (response.status === 401) document.getElementById("token").hidden = false;
  let value = null;
  try {
    value = readJson(said);
  } catch (error) {
    if (response.ok) throw new ServerError(response.status, `an answer that is no JSON: ${error.message}`);
  }
  if (!response.ok) {
    const reason = value instanceof Map ? value.get("error") ?? value.get("reason") : null;
    throw new ServerError(response.status, typeof reason === "string" ? reason : said.slice(0, 500));
  }
  return value;
}

// An element; what the server says only ever becomes text and attributes.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A table in a box that scrolls sideways; columns that begin with ">" hold numbers.
function table(label, columns, rows) {
  const right = columns.map(column => column.startsWith(">"));
  const cell = (content, index) => {
    const parts = [content].flat();
    if (index === 0) return make("th", { scope: "row" }, ...parts);
    return make("td", { class: right[index] ? "n" : null }, ...parts);
  };
  const heads = columns.map((column, index) =>
    make("th", { scope: "col", class: right[index] ? "n" : null }, column.replace(">", "")));
  return make("div", { class: "box", tabindex: "0", role: "region", "aria-label": label },
    make("table", {},
      make("thead", {}, make("tr", {}, ...heads)),
      make("tbody", {}, ...rows.map(row => make("tr", {}, ...row.map(cell))))));
}

const modelPath = name => `v1/models/${encodeURIComponent(name)}`;
