import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseLanguage, guessLanguage } from "../../src/media/languages.ts";
import { spokenLines } from "../../src/media/spoken-lines.ts";
import { splitCommand } from "../../src/media/voice.ts";

test("paragraphs pause, headings end, addresses and pictures are not spelled out", () => {
  assert.deepEqual(spokenLines("Tiêu đề\n\nXem https://www.example.com/a?b=c nhé 🎙️!\n• một\n---\n"), [
    "Tiêu đề.",
    "",
    "Xem example.com nhé !",
    "",
    "một.",
  ]);
});

test("long texts come in pieces of whole sentences, and nothing is lost", () => {
  const text = "Đây là một câu. ".repeat(200) + "x".repeat(1500);
  const lines = spokenLines(text);
  assert.ok(lines.every((line) => line.length <= 401));
  assert.equal(lines.join("").replaceAll(" ", ""), `${text.replaceAll(" ", "")}.`);
  assert.ok(lines.slice(0, 5).every((line) => line.endsWith(".")));
});

test("nothing to say", () => {
  for (const text of ["", " \n ", "🎙️ … —"]) assert.deepEqual(spokenLines(text), []);
});

test("Vietnamese is heard as Vietnamese, also decomposed; French is not", () => {
  assert.equal(guessLanguage("Hôm nay trời đẹp quá"), "vi");
  assert.equal(guessLanguage("Hôm nay trời đẹp quá".normalize("NFD")), "vi");
  assert.equal(guessLanguage("Où est la forêt, s'il vous plaît ?"), "en");
  assert.equal(guessLanguage(""), "en");
});

test("a language is taken as it is written in the wild, an unknown one is guessed", () => {
  for (const [wanted, language] of [
    ["vi-VN", "vi"],
    ["en_US", "en-us"],
    ["EN", "en"],
    ["pt-BR", "pt-br"],
    ["zh-Hans", "cmn"],
    ["fr-CA", "fr"],
    ["", "en"],
  ] as const)
    assert.deepEqual(chooseLanguage(wanted, "hello"), { language, guessedFor: null }, wanted);
  assert.deepEqual(chooseLanguage("tlh", "trời đẹp"), { language: "vi", guessedFor: "tlh" });
});

test("a command line is split like a shell would, without one", () => {
  assert.deepEqual(splitCommand(`piper --model "my voice.onnx" --out '-' {voice}`), [
    "piper",
    "--model",
    "my voice.onnx",
    "--out",
    "-",
    "{voice}",
  ]);
});
