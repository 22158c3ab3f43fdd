// A client of Freehold's API: one function, typed by the API's own description (schema.ts, generated from it).
//
//   const api = new Freehold("http://127.0.0.1:9443", token);
//   const status = await api.ask("get", "/v1/status");
//   const { generation } = await api.ask("get", "/v1/generations/{generation}", { path: { generation: "current" } });
//
// An answer that is no success is thrown as a Refusal. Moments are whole nanoseconds, which a number here knows to within
// 256: see moment(). Needs fetch, as browsers and Node 18 have it.
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
type Method = "get" | "post" | "put";
type PathOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths];
type Operation<M extends Method, P extends PathOf<M>> = paths[P] extends Record<M, infer O> ? O : never;

type Body<R> = R extends { content: { "application/json": infer T } } ? T : R extends { content: infer C } ? C[keyof C] : never;
export type Answer<O> = O extends { responses: infer R } ? { [S in keyof R]: S extends 200 | 201 | 202 ? Body<R[S]> : never }[keyof R] : never;

type Given<O> = O extends { parameters: infer A } ? Pick<A, Extract<keyof A, "path" | "query" | "header">> : object;
type Sent<O> = O extends { requestBody: { content: infer C } } ? { body: C extends { "application/json": infer T } ? T : BodyInit } : { body?: never };
export type Question<O> = Given<O> & Sent<O>;
// What has to be said where something has to be, and nothing where nothing has.
type Rest<O> = object extends Question<O> ? [question?: Question<O>] : [question: Question<O>];

export class Refusal extends Error {
  constructor(readonly status: number, readonly problem: Schemas["Problem"]) {
    super(problem.message);
  }
}

// Of a moment as the API tells it: whole nanoseconds since 1970.
export function moment(nanoseconds: number): Date {
  return new Date(nanoseconds / 1e6);
}

type Values = Record<string, string | number | undefined>;

export class Freehold {
  constructor(private readonly address: string, private readonly token?: string) {}

  async ask<M extends Method, P extends PathOf<M>>(method: M, path: P, ...rest: Rest<Operation<M, P>>): Promise<Answer<Operation<M, P>>> {
    const question = (rest[0] ?? {}) as { path?: Values; query?: Values; header?: Values; body?: unknown };
    const place = String(path).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(question.path?.[name])));
    const target = new URL(place, this.address);
    for (const [name, value] of Object.entries(question.query ?? {})) {
      if (value !== undefined) target.searchParams.set(name, String(value));
    }
    const headers = new Headers();
    for (const [name, value] of Object.entries(question.header ?? {})) {
      if (value !== undefined) headers.set(name, String(value));
    }
    if (this.token !== undefined) headers.set("Authorization", `Bearer ${this.token}`);
    // Bytes are sent as they are; everything else is JSON.
    const bytes = method === "put";
    if (question.body !== undefined && !bytes) headers.set("Content-Type", "application/json");
    const body = question.body === undefined ? undefined : bytes ? (question.body as BodyInit) : JSON.stringify(question.body);
    const answer = await fetch(target, { method: method.toUpperCase(), headers, body });
    const json = answer.headers.get("Content-Type")?.startsWith("application/json") ?? false;
    const content: unknown = json ? await answer.json() : await answer.text();
    if (answer.ok) return content as Answer<Operation<M, P>>;
    throw new Refusal(answer.status, json ? (content as Schemas["Problem"]) : { code: "internal", message: String(content), details: [] });
  }
}
