/** Markdown as elements. Its text is only ever text: markup in it is shown, not run, and it loads nothing. */
import { lexer, type Token, type Tokens } from "marked";
import { h } from "../ui/dom.ts";

const LINK = /^(https?:|mailto:)/i;
const DEEPEST = 40; // levels of nested lists and quotations

export function markdownElements(text: string): HTMLElement[] {
  return blocks(lexer(text), 0);
}

function blocks(tokens: readonly Token[], depth: number): HTMLElement[] {
  return tokens.flatMap(token => block(token, depth)).filter(element => element !== null);
}

function block(token: Token, depth: number): HTMLElement | null {
  if (depth > DEEPEST) return h("p", {}, token.raw);
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      return h(
        "div",
        {
          class: `tb-md-heading tb-md-h${token.depth}`,
          role: "heading",
          "aria-level": String(4 + token.depth),
        },
        ...inline(token.tokens ?? [], depth + 1),
      );
    case "code":
      return h("pre", {}, h("code", {}, token.text));
    case "blockquote":
      return h("blockquote", {}, ...blocks(token.tokens ?? [], depth + 1));
    case "hr":
      return h("hr");
    case "list":
      return list(token as Tokens.List, depth);
    case "table":
      return table(token as Tokens.Table, depth);
    case "html":
      return h("pre", {}, token.raw);
    default: {
      const { tokens } = token as Tokens.Paragraph;
      return h("p", {}, ...(tokens ? inline(tokens, depth + 1) : [token.raw]));
    }
  }
}

function list({ ordered, start, items }: Tokens.List, depth: number): HTMLElement {
  const made = items.map(({ task, checked, tokens }) => {
    const box = task ? [checked ? "☑ " : "☐ "] : [];
    const parts = tokens.flatMap((token): (Node | string)[] => {
      if (token.type === "checkbox") return [];
      if (token.type === "text") return inline((token as Tokens.Text).tokens ?? [token], depth + 1);
      const made = block(token, depth + 1);
      return made ? [made] : [];
    });
    return h("li", {}, ...box, ...parts);
  });
  return ordered ? h("ol", { start: String(start || 1) }, ...made) : h("ul", {}, ...made);
}

function table({ header, rows }: Tokens.Table, depth: number): HTMLElement {
  const row = (cells: Tokens.TableCell[], tag: "th" | "td") =>
    h("tr", {}, ...cells.map(({ tokens }) => h(tag, {}, ...inline(tokens, depth + 1))));
  return h("table", {}, row(header, "th"), ...rows.map(cells => row(cells, "td")));
}

function inline(tokens: readonly Token[], depth: number): (Node | string)[] {
  return tokens.map(token => phrase(token, depth));
}

function phrase(token: Token, depth: number): Node | string {
  const within = () =>
    (token as Tokens.Strong).tokens && depth <= DEEPEST
      ? inline((token as Tokens.Strong).tokens, depth + 1)
      : [text(token)];
  switch (token.type) {
    case "strong":
      return h("strong", {}, ...within());
    case "em":
      return h("em", {}, ...within());
    case "del":
      return h("del", {}, ...within());
    case "codespan":
      return h("code", {}, token.text);
    case "br":
      return h("br");
    case "link": {
      const { href } = token as Tokens.Link;
      if (!LINK.test(href)) return h("span", {}, ...within());
      return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...within());
    }
    case "image":
      return h("span", { class: "tb-minor" }, `[${(token as Tokens.Image).text || "image"}]`);
    default:
      return (token as Tokens.Text).tokens ? h("span", {}, ...within()) : text(token);
  }
}

/** The text of a token as it was written; the parser escapes some characters for HTML. */
function text(token: Token): string {
  return token.type === "escape" ? (token as Tokens.Escape).text : token.raw;
}
