// Who looks: a token, kept for as long as the tab lives, and the project that its owner chose.

const TOKEN = "jobtrack.token";
const PROJECT = "jobtrack.project";
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The claims of a token; null if it is none. They are not verified here: the service does that. */
export function claims(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (byte) => byte.charCodeAt(0))));
  } catch {
    return null;
  }
}

export class Session {
  constructor(config) {
    this.config = config;
  }

  get token() {
    return sessionStorage.getItem(TOKEN);
  }

  get tenant() {
    return this.token && claims(this.token)?.[this.config.tenantClaim];
  }

  /** Milliseconds that the token is still good for. */
  get left() {
    return this.token ? claims(this.token).exp * 1000 - Date.now() : NaN;
  }

  get project() {
    return sessionStorage.getItem(PROJECT);
  }

  /** Take a token, and the project if the token does not say which; what is wrong with them, or null. */
  open(token, project) {
    const told = claims(token.trim());
    if (typeof told?.[this.config.tenantClaim] !== "string") return "badToken";
    if (told.exp && told.exp * 1000 < Date.now()) return "expiredToken";
    const chosen = project?.trim() || projects(told, this.config)[0];
    if (!chosen) return "needsProject";
    if (!GUID.test(chosen)) return "badProject";
    sessionStorage.setItem(TOKEN, token.trim());
    sessionStorage.setItem(PROJECT, chosen.toLowerCase());
    return null;
  }

  /** Forget the token, but not the project: its owner comes back to where they were. */
  close() {
    sessionStorage.removeItem(TOKEN);
  }

  /** Take what `#/…?token=…&project=…` hands over, and leave no trace of it in the address. */
  openFromAddress() {
    const [place, query] = location.hash.split("?");
    const told = new URLSearchParams(query);
    if (!told.has("token")) return null;
    history.replaceState(null, "", place || "#/");
    return this.open(told.get("token"), told.get("project"));
  }
}

function projects(told, config) {
  const found = told[config.projectsClaim];
  return typeof found === "string" ? found.split(/[\s,]+/).filter(Boolean) : (found ?? []);
}
