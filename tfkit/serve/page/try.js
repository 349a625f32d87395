// The form that asks one signature of a model, and its answer.

class TryForm {
  constructor(view) {
    this.view = view;
    this.fields = [];
    this.known = [];
    this.signature = this.choice("signature", "Signature", () => this.showFields());
    this.version = this.choice("version", "Version", () => this.learn());
    this.inputs = make("div", { class: "answer" });
    this.button = make("button", { class: "do" }, "Ask the model");
    this.said = make("span", { class: "quiet", role: "status" });
    this.answer = make("div", { class: "answer" });
    this.program = make("code");
    const form = make("form", { class: "ask", novalidate: true, onsubmit: event => this.ask(event) },
      make("div", { class: "choices" }, this.signature.label, this.version.label),
      this.inputs, make("div", { class: "send" }, this.button, this.said), this.answer);
    this.element = make("div", { hidden: true }, make("h3", { class: "part" }, "Try it"), form,
      make("p", { class: "lead same" }, "The same from a program:"),
      make("pre", { class: "code", tabindex: "0" }, this.program));
  }

  choice(kind, words, onchange) {
    const id = `${this.view.id}-${kind}`;
    const select = make("select", { id, onchange });
    return { select, label: make("div", {}, make("label", { for: id }, words), select) };
  }

  // The versions that can be asked now; the one that was chosen stays chosen while it lives.
  offer(model) {
    const live = model.get("versions").filter(v => v.get("state") === "AVAILABLE").map(v => text(v.get("version")));
    const labels = [...model.get("labels") ?? []].filter(([, of]) => live.includes(text(of)));
    const options = [["", "newest"], ...live.map(v => [`/versions/${v}`, v]),
      ...labels.map(([label, of]) => [`/labels/${encodeURIComponent(label)}`, `${label} (${text(of)})`])];
    const { select } = this.version;
    const chosen = select.value;
    select.replaceChildren(...options.map(([value, words]) => make("option", { value }, words)));
    select.value = options.some(([value]) => value === chosen) ? chosen : "";
    this.element.hidden = live.length === 0;
    if (live.length) this.learn();
    else this.view.signatures.replaceChildren();
  }

  async learn() {
    const asked = this.version.select.value;
    const overtaken = () => asked !== this.version.select.value; // by a later choice, whose answer counts
    try {
      const metadata = await request(`${modelPath(this.view.name)}${asked}/metadata`);
      if (overtaken()) return;
      this.known = signaturesOf(metadata);
    } catch (error) {
      if (overtaken()) return;
      this.view.signatures.replaceChildren(wrong(error));
      return;
    }
    this.view.showSignatures(this.known);
    const { select } = this.signature;
    const chosen = select.value;
    select.replaceChildren(...this.known.map(({ name }) => make("option", { value: name }, name)));
    select.value = this.known.some(({ name }) => name === chosen) ? chosen : this.known[0]?.name;
    this.showFields();
  }

  chosen() {
    return this.known.find(({ name }) => name === this.signature.select.value);
  }

  // A text field for every input; what was typed stays where the input is the same as before.
  showFields() {
    const { name, inputs } = this.chosen();
    const before = new Map(this.fields.map(field => [field.key, field]));
    this.fields = inputs.map(tensor => {
      const key = JSON.stringify(tensor);
      return before.get(key) ?? new Field(`${this.view.id}-input-${made += 1}`, key, tensor);
    });
    const elements = this.fields.map(field => field.element);
    const same = elements.length === this.inputs.children.length
      && elements.every((element, index) => element === this.inputs.children[index]);
    if (!same) this.inputs.replaceChildren(...elements);
    this.program.textContent = program(this.view.name, name, inputs, this.version.select.value);
  }

  async ask(event) {
    event.preventDefault();
    this.said.textContent = "";
    this.answer.replaceChildren();
    const bad = this.fields.filter(field => !field.check());
    if (bad.length) return bad[0].area.focus();
    const { name, outputs } = this.chosen();
    const inputs = this.fields.map(({ tensor, area }) => `${JSON.stringify(tensor.name)}: ${area.value}`);
    const body = `{"signature_name": ${JSON.stringify(name)}, "inputs": {${inputs.join(", ")}}}`;
    const path = `${modelPath(this.view.name)}${this.version.select.value}:predict`;
    this.button.disabled = true;
    this.said.textContent = "asking …";
    const start = performance.now();
    try {
      const value = await request(path, body);
      this.said.textContent = `answered in ${milliseconds(performance.now() - start)} ms`;
      this.answer.replaceChildren(...outputViews(outputs, value.get("outputs")));
    } catch (error) {
      this.said.textContent = "";
      this.answer.replaceChildren(wrong(error));
    }
    this.button.disabled = false;
    refresh();
  }
}

class Field {
  constructor(id, key, tensor) {
    Object.assign(this, { key, tensor });
    this.area = make("textarea", { id, spellcheck: "false", "aria-describedby": `${id}-error`,
      oninput: () => this.clear() });
    this.error = make("p", { class: "error", id: `${id}-error` });
    const fill = (words, item) => make("button", { type: "button", onclick: () => this.fill(item) }, words);
    const buttons = [fill("Zeros", zero(tensor.dtype)), fill("Random", random(tensor.dtype))];
    if (takesPicture(tensor) || takesFile(tensor)) buttons.push(this.fileChoice(id));
    this.element = make("div", { class: "field" },
      make("label", { for: id }, make("code", {}, tensor.name), ` ${tensor.dtype} ${shapeWords(tensor.shape)}`),
      this.area, this.error, make("div", { class: "fill" }, ...buttons));
    this.fill(zero(tensor.dtype));
  }

  fileChoice(id) {
    const words = takesPicture(this.tensor) ? "or a picture:" : "or a file’s bytes:";
    const accept = takesPicture(this.tensor) ? "image/*" : null;
    return make("label", { class: "file", for: `${id}-file` }, words,
      make("input", { id: `${id}-file`, type: "file", accept, onchange: event => this.read(event.target.files[0]) }));
  }

  async read(file) {
    if (!file) return;
    try {
      this.area.value = takesPicture(this.tensor) ? await pictureText(file, this.tensor) : await fileText(file);
      this.clear();
    } catch (error) {
      this.complain(`${file.name} could not be read: ${error.message}`);
    }
  }

  fill(item) {
    const example = exampleText(this.tensor, item);
    this.area.value = example ?? "";
    this.clear();
    if (example === null) this.complain("One row is too large for this form; ask from a program.");
  }

  check() {
    try {
      readJson(this.area.value);
    } catch (error) {
      this.complain(error.message);
      return false;
    }
    return true;
  }

  complain(words) {
    this.error.textContent = words;
    this.area.setAttribute("aria-invalid", "true");
  }

  clear() {
    this.error.textContent = "";
    this.area.removeAttribute("aria-invalid");
  }
}

function wrong(error) {
  const words = error instanceof ServerError ? `The server answered ${error.status}: ${error.message}`
    : `The server could not be asked: ${error.message}`;
  return make("p", { class: "notice wrong", role: "alert" }, words);
}

function outputViews(outputs, value) {
  // TensorFlow Serving writes a single output without its name
  const values = outputs.length === 1 ? new Map([[outputs[0].name, value]]) : value;
  return outputs.map(output => outputView(output, values.get(output.name)));
}

function outputView(output, value) {
  const shape = shapeOf(value);
  const code = make("code", {}, valueText(value, sizeOf(shape) <= MOST_SHOWN));
  const drawn = pictures(output, value);
  const all = make("button", { type: "button", class: "more", onclick: () => {
    code.textContent = valueText(value, true);
    all.remove();
  } }, `Show all ${sizeOf(shape)} values`);
  return make("div", { class: "output" },
    make("h4", {}, make("code", {}, output.name), " ", make("span", { class: "quiet" }, `${output.dtype} [${shape.join(", ")}]`)),
    drawn.length ? make("div", { class: "pictures" }, ...drawn) : "",
    make("pre", { class: "code", tabindex: "0", role: "region", "aria-label": output.name }, code),
    sizeOf(shape) > MOST_SHOWN ? all : "");
}

function program(model, signature, inputs, where) {
  const address = new URL(".", document.baseURI).href.replace(/\/$/, "");
  const named = inputs.map(({ name }) => `${JSON.stringify(name)}: ${name.replace(/\W/g, "_")}`).join(", ");
  const [, kind, id] = where.split("/");
  const more = kind === "versions" ? `, version=${id}`
    : kind === "labels" ? `, label=${JSON.stringify(decodeURIComponent(id))}` : "";
  return `from tfkit.serve import Client

client = Client(${JSON.stringify(address)})
answer = client.predict(${JSON.stringify(model)}, {${named}}, signature=${JSON.stringify(signature)}${more})  # arrays by name
`;
}
