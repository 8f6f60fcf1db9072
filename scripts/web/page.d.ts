import type { components } from "./api";

declare global {
  /** A schema of the API's description (`functions/api/docs/openapi.json`), by its name. */
  type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

  /** A path below the project's path. `Body` is the type of the response's body; it exists for the type checker only. */
  type Path<Body> = string & { readonly body?: Body };

  /** `config.json`: where the API is, and the names of the token's claims. */
  type Config = { api: string; tenantClaim: string; projectsClaim: string };

  /** A session that `jobtrack open` or a link offers. */
  type Offered = { token: string | null; project: string | null; job?: string | null };
}
