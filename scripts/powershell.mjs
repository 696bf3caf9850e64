// powershell.mjs PACKAGES FILE...: prints what stands in PowerShell scripts, one thing a line, each with the line it stands on:
//
//   file 0 NAME            what follows stands in this file
//   error LINE TEXT        what the grammar does not know, or misses there
//   chain LINE TEXT        && or ||, which Windows' PowerShell 5.1 does not have
//   function LINE NAME PARAMETER...
//   command LINE NAME PARAMETER...
//   assigned LINE NAME     a variable that gets a value, as a parameter does
//   read LINE NAME         a variable
//   type LINE NAME
//   string LINE TEXT       in single quotes
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, ...files] = process.argv.slice(2);
const require = createRequire(packages + "/");
const { Parser, Language } = require("web-tree-sitter");

const print = (what, node, ...texts) => console.log(what, node.startPosition.row + 1, ...texts);
const texts = (node, type) => node.descendantsOfType(type).map((n) => n.text);

const visit = {
  pipeline_chain_tail: (n) => print("chain", n, n.text),
  "&&": (n) => print("chain", n, n.text),
  "||": (n) => print("chain", n, n.text),
  function_statement: (n) => {
    const block = n.descendantsOfType("param_block")[0];
    print("function", n, texts(n, "function_name")[0], ...(block ? parameters(block) : []));
  },
  command: (n) => {
    const name = n.childForFieldName("command_name") ?? n.namedChildren.find((c) => c.type.startsWith("command_name"));
    const own = n.namedChildren.filter((c) => c.type === "command_elements").flatMap((c) => c.namedChildren);
    print("command", n, name.text.replaceAll('"', ""), ...own.filter((c) => c.type === "command_parameter").map((c) => c.text));
  },
  script_parameter: (n) => print("assigned", n, n.namedChildren.find((c) => c.type === "variable").text),
  foreach_statement: (n) => print("assigned", n, n.namedChildren.find((c) => c.type === "variable").text),
  assignment_expression: (n) => {
    for (const v of n.namedChildren[0].descendantsOfType("variable")) {
      if (!v.text.startsWith("$env:") && !texts(n.namedChildren[0], "member_access").length) print("assigned", v, v.text);
    }
  },
  variable: (n) => print("read", n, n.text),
  type_spec: (n) => print("type", n, n.text),
  string_literal: (n) => {
    if (n.text.startsWith("'")) print("string", n, n.text.slice(1, -1));
  },
};

function parameters(block) {
  return block.descendantsOfType("script_parameter").map((p) => p.namedChildren.find((c) => c.type === "variable").text);
}

function walk(node) {
  if (node.isError || node.isMissing) print("error", node, JSON.stringify(node.text.slice(0, 60)));
  visit[node.type]?.(node);
  for (const child of node.children) walk(child);
}

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(readFileSync(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm"))));
for (const file of files) {
  console.log("file", 0, file);
  walk(parser.parse(readFileSync(file, "utf8")).rootNode);
}
