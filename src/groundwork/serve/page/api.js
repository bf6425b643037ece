// The service's JSON API, with errors that say what to do.

export class ServiceError extends Error {}

export async function call(path, { body, signal } = {}) {
  const options = { signal };
  if (body) {
    options.method = "POST";
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError("The service cannot be reached. Check that it is running, then try again.");
  }
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ServiceError(`The service answered with status ${response.status} and no JSON. Try again.`);
  }
  if (!response.ok && json.error) throw new ServiceError(sentence(response, json));
  return json;
}

function sentence(response, { error, request_id: id }) {
  const wait = response.headers.get("retry-after");
  const message = error.message ?? String(error);
  if (response.status === 429) return `Too many requests at once. Try again in ${wait ?? "a few"} s.`;
  if (response.status >= 500 && id) return `${message} (request ${id})`;
  return message;
}

/** Only web addresses become links: a page of a domain could name `javascript:` as its URL. */
export function safeUrl(url) {
  try {
    const parsed = new URL(url);
    return ["http:", "https:"].includes(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}
