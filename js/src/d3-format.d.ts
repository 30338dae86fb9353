declare module "d3-format" {
  /** Return a function that formats numbers by a specifier of Python's mini-language, with a true minus sign. */
  export function format(specifier: string): (value: number) => string;
}
