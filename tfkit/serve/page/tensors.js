// What signatures say of tensors, example values for them, and values as text and as pictures.

const DTYPES = { FLOAT: "float32", DOUBLE: "float64", HALF: "float16" };
const MOST_EXAMPLES = 60000;  // numbers in a text field
const MOST_SHOWN = 600;  // numbers of an answer before its middle is left out
const EDGE = 3;  // items at either end of an axis then
const MOST_PICTURES = 16;

// {name, dtype, shape} of one entry of a signature; a size of null is free, as is a shape of null.
function tensorOf(name, info) {
  const word = info.get("dtype").replace(/^DT_/, "");
  const form = info.get("tensor_shape") ?? new Map();
  const sizes = (form.get("dim") ?? []).map(dim => Number(dim.get("size") ?? 0));
  const shape = form.get("unknown_rank") === true ? null : sizes.map(n => n < 0 ? null : n);
  return { name, dtype: DTYPES[word] ?? word.toLowerCase(), shape };
}

function shapeWords(shape) {
  if (shape === null) return "of any rank";
  return `[${shape.map((n, axis) => n ?? (axis ? "any" : "batch")).join(", ")}]`;
}

const isFloat = dtype => /float/.test(dtype);

// A picture goes into, or comes out of, [batch, height, width, channels].
const takesPicture = ({ dtype, shape }) =>
  shape?.length === 4 && [1, 3, 4].includes(shape[3]) && (isFloat(dtype) || dtype === "uint8");
const takesFile = ({ dtype, shape }) => dtype === "string" && shape?.length === 1;

// One row of `item()`s in the tensor's shape as text, or null where a form has no room for it.
function exampleText(tensor, item) {
  const shape = (tensor.shape ?? [1]).map(n => n ?? 1);
  return shape.reduce((a, b) => a * b, 1) > MOST_EXAMPLES ? null : nested(shape, item, "");
}

function nested(shape, item, indent) {
  if (shape.length === 0) return item();
  const [size, ...rest] = shape;
  const parts = Array.from({ length: size }, () => nested(rest, item, indent + " "));
  return `[${parts.join(between(rest, indent))}]`;
}

// What parts the items of a list: a line for each where an item is long, as a picture's row is.
const SHORT = 4;
const between = (rest, indent) =>
  rest.length === 0 || (rest.length === 1 && rest[0] <= SHORT) ? ", " : `,\n${indent} `;

const ZERO = { string: '""', bool: "false" };
const zero = dtype => () => ZERO[dtype] ?? (isFloat(dtype) ? "0.0" : "0");
const RANDOM = {
  string: () => '"text"',
  bool: () => String(Math.random() < 0.5),
};
const random = dtype => RANDOM[dtype]
  ?? (isFloat(dtype) ? () => Math.random().toFixed(4) : () => String(Math.floor(Math.random() * 10)));

const text = value => typeof value === "string" ? JSON.stringify(value)
  : value instanceof Map ? `{${[...value].map(([k, v]) => `${JSON.stringify(k)}: ${text(v)}`).join(", ")}}`
  : value instanceof NumberText ? value.text : String(value);

function shapeOf(value) {
  const shape = [];
  for (; Array.isArray(value); value = value[0]) shape.push(value.length);
  return shape;
}

const sizeOf = shape => shape.reduce((a, b) => a * b, 1);

// A value as text, whole or, as NumPy does it, without the middle of its long axes.
function valueText(value, whole, indent = "") {
  if (!Array.isArray(value)) return text(value);
  const cut = !whole && value.length > 2 * EDGE + 1;
  const kept = cut ? [...value.slice(0, EDGE), ...value.slice(-EDGE)] : value;
  const parts = kept.map(item => valueText(item, whole, indent + " "));
  if (cut) parts.splice(EDGE, 0, "…");
  return `[${parts.join(between(shapeOf(value).slice(1), indent))}]`;
}

// Canvases of an output that is pictures, [B, H, W, 1 or 3] from 0 to 1 or of bytes; else none.
function pictures({ name, dtype }, value) {
  const [rows, height, width, channels] = shapeOf(value);
  const form = shapeOf(value).length === 4 && [1, 3].includes(channels) && rows * height * width > 0;
  if (!form || !(isFloat(dtype) || dtype === "uint8")) return [];
  const scale = dtype === "uint8" ? 1 : 255;
  const kept = value.slice(0, MOST_PICTURES).map(row => row.flat(2).map(Number));
  if (kept.some(row => row.some(v => v < 0 || v * scale > 255))) return [];
  return kept.map((row, index) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}, row ${index + 1}, as a picture`);
    const data = new ImageData(width, height);
    for (let pixel = 0; pixel < width * height; pixel += 1) {
      for (let c = 0; c < 3; c += 1) {
        data.data[4 * pixel + c] = scale * row[pixel * channels + (channels === 3 ? c : 0)];
      }
      data.data[4 * pixel + 3] = 255;
    }
    canvas.getContext("2d").putImageData(data, 0, 0);
    return canvas;
  });
}

// The pixels of a picture file for a tensor, as `tfkit predict` reads them: upright, the middle cut
// out and resized, transparency black, from 0 to 1 where floats are wanted.
async function pictureText(file, { dtype, shape: [, high, wide, channels] }) {
  const bitmap = await createImageBitmap(file);
  const [height, width] = [high ?? bitmap.height, wide ?? bitmap.width];
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [width / scale, height / scale];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  if (channels !== 4) context.fillRect(0, 0, width, height);
  const from = [(bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h];
  context.drawImage(bitmap, ...from, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const number = byte => isFloat(dtype) ? String(+(byte / 255).toFixed(5)) : String(Math.round(byte));
  let at = -1;
  return nested([1, height, width, channels], () => {
    at += 1;
    const [pixel, channel] = [4 * Math.floor(at / channels), at % channels];
    const grey = 0.299 * data[pixel] + 0.587 * data[pixel + 1] + 0.114 * data[pixel + 2];
    return number(channels === 1 ? grey : data[pixel + channel]);
  }, "");
}

async function fileText(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `[{"b64": "${btoa(binary)}"}]`;
}
