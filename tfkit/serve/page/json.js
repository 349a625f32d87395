"use strict";

// JSON as TensorFlow Serving writes it: NaN and Infinity are numbers. Every number stays the text
// that it was, because JavaScript would make 9007199254740992 of 9007199254740993.
class NumberText {
  constructor(text) { this.text = text; }
  valueOf() { return Number(this.text); }
}

const DEEPEST = 200;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:Infinity|(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|NaN/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const WORD = /true|false|null/y;

// Lists are arrays, objects are Maps, numbers are NumberTexts. Throws a SyntaxError with the place.
function readJson(text) {
  let at = 0;
  const take = pattern => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return null;
    at += found[0].length;
    return found[0];
  };
  const fail = expected => {
    const before = text.slice(0, at).split("\n");
    const found = at < text.length ? JSON.stringify(text[at]) : "the end";
    const place = `line ${before.length}, character ${before.at(-1).length + 1}`;
    throw new SyntaxError(`${place}: expected ${expected}, found ${found}`);
  };
  const items = (end, item) => {
    at += 1;
    take(SPACE);
    if (text[at] === end) { at += 1; return; }
    for (;;) {
      item();
      take(SPACE);
      if (text[at] === end) { at += 1; return; }
      if (text[at] !== ",") fail(`“,” or “${end}”`);
      at += 1;
    }
  };
  const member = (map, depth) => {
    take(SPACE);
    const key = take(STRING) ?? fail("a name in double quotes");
    take(SPACE);
    if (text[at] !== ":") fail("“:”");
    at += 1;
    map.set(JSON.parse(key), value(depth + 1));
  };
  const value = depth => {
    if (depth > DEEPEST) fail(`at most ${DEEPEST} levels`);
    take(SPACE);
    if (text[at] === "[") {
      const list = [];
      items("]", () => list.push(value(depth + 1)));
      return list;
    }
    if (text[at] === "{") {
      const map = new Map();
      items("}", () => member(map, depth));
      return map;
    }
    const string = take(STRING);
    if (string !== null) return JSON.parse(string);
    const number = take(NUMBER);
    if (number !== null) return new NumberText(number);
    const word = take(WORD) ?? fail("a value");
    return JSON.parse(word);
  };
  const whole = value(0);
  take(SPACE);
  return at === text.length ? whole : fail("nothing more");
}
