// One model: its versions, its signatures, a form to try one.

const STATES = { AVAILABLE: "ready", UNLOADING: "ended", END: "ended" };
let made = 0;

class ModelView {
  constructor(name) {
    made += 1;
    this.name = name;
    this.id = `model-${made}`;
    this.seen = "";
    this.versions = make("div");
    this.signatures = make("div");
    this.form = new TryForm(this);
    this.element = make("section", { id: this.id, "aria-labelledby": `${this.id}-title` },
      make("h2", { id: `${this.id}-title` }, name), this.versions, this.signatures, this.form.element);
    this.link = make("li", {}, make("a", { href: `#${this.id}` }, name));
  }

  // Rebuilds only what changed: somebody may be typing.
  update(model) {
    const versions = model.get("versions").map(v => [...v.values()]);
    const state = valueText([versions, [...model.get("labels")], model.get("archives")], true);
    if (state === this.seen) return;
    this.seen = state;
    this.showVersions(model);
    this.form.offer(model);
  }

  showVersions(model) {
    const labels = [...model.get("labels") ?? []];
    const archives = new Map((model.get("archives") ?? []).map(path => [/(\d+)\.tar\.gz$/.exec(path)?.[1], path]));
    const failed = model.get("versions").some(found => found.get("error"));
    const rows = model.get("versions").map(found => {
      const version = text(found.get("version"));
      const state = found.get("state");
      const error = found.get("error");
      const kind = error ? "failed" : STATES[state] ?? "running";
      const named = labels.filter(([, of]) => text(of) === version).map(([label]) => label).join(", ");
      const word = make("span", { class: `status ${kind}` }, error ? "failed" : state.toLowerCase());
      const why = error ? make("div", { class: "why" }, error) : "";
      return [version, word, named || "–", this.archive(archives.get(version)), ...failed ? [why] : []];
    });
    const columns = ["version", "state", "labels", "for TF-Hub", ...failed ? ["why"] : []];
    const box = table(`Versions of ${this.name}`, columns, rows);
    this.versions.replaceChildren(rows.length ? box : make("p", { class: "lead" }, "No version yet."));
  }

  // A link cannot carry the token: then only the address is told.
  archive(path) {
    if (!path) return "–";
    const address = new URL(path.replace(/^\//, ""), document.baseURI).href;
    const shown = make("code", {}, path);
    return sessionStorage.getItem("tfkit-token") ? shown : make("a", { href: address, download: true }, shown);
  }

  showSignatures(signatures) {
    const tensors = list => make("td", {}, ...list.map(tensor => make("div", {}, make("code", {}, tensor.name), " ",
      make("span", { class: "quiet" }, `${tensor.dtype} ${shapeWords(tensor.shape)}`))));
    const rows = signatures.map(({ name, inputs, outputs }) =>
      [make("code", {}, name), [...tensors(inputs).childNodes], [...tensors(outputs).childNodes]]);
    this.signatures.replaceChildren(
      make("h3", { class: "part" }, "Signatures"),
      table(`Signatures of ${this.name}`, ["signature", "inputs", "outputs"], rows));
  }
}

// The signatures of a model's metadata, `predict` first, TensorFlow's internal ones left out.
function signaturesOf(metadata) {
  const found = [...metadata.get("metadata").get("signature_def").get("signature_def")];
  const tensors = map => [...map ?? []].map(([name, info]) => tensorOf(name, info))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  const rank = name => ["predict", "serving_default"].indexOf(name) >>> 0;
  return found.filter(([name]) => !name.startsWith("__"))
    .map(([name, s]) => ({ name, inputs: tensors(s.get("inputs")), outputs: tensors(s.get("outputs")) }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}
