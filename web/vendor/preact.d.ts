// The types of `preact.js`: preact, its hooks and htm in one module.

import type { VNode } from "preact";

export * from "preact";
export * from "preact/hooks";

/** Return the elements of a template. Attributes in the template are not type-checked. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
