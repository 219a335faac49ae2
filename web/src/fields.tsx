/** The fields of a DAG's form, drawn from what the DAG declares, and what was typed into them. */

import { useState } from "preact/hooks";
import type { Param } from "./airflow";

export function Field({ name, param, fixed }: { name: string; param: Param; fixed: unknown }) {
  const { schema } = param;
  const title = schema.title ?? name.replaceAll("_", " ");
  if (fixed !== undefined) return <Fixed title={title} value={schema.values_display?.[String(fixed)] ?? String(fixed)} />;
  return (
    <div class="field">
      <label class={kindOf(param) === "boolean" ? "check" : ""}>
        <span>{title}</span>
        <Input name={name} param={param} />
      </label>
      {param.description && <small>{param.description}</small>}
    </div>
  );
}

function Fixed({ title, value }: { title: string; value: string }) {
  return (
    <p class="fixed">
      <strong>{title}</strong> {value}
    </p>
  );
}

function Input({ name, param }: { name: string; param: Param }) {
  const { schema, value } = param;
  if (schema.enum) {
    return (
      <select name={name}>
        {schema.enum.map((each) => (
          <option key={String(each)} value={String(each)} selected={each === value}>
            {schema.values_display?.[String(each)] ?? String(each)}
          </option>
        ))}
      </select>
    );
  }
  const kind = kindOf(param);
  if (kind === "array") return <Several name={name} choice={schema.items?.enum ?? []} chosen={value as unknown[]} />;
  if (kind === "object") return <Json name={name} />;
  if (kind === "boolean") return <input name={name} type="checkbox" defaultChecked={value === true} />;
  const required = !mayBeEmpty(param);
  const text = value === null || value === undefined ? "" : String(value);
  if (kind === "string") return <input name={name} defaultValue={text} required={required} minLength={schema.minLength} />;
  return <input name={name} type="number" step={kind === "integer" ? 1 : "any"} min={schema.minimum} max={schema.maximum} defaultValue={text} required={required} />;
}

function Several({ name, choice, chosen }: { name: string; choice: unknown[]; chosen: unknown[] }) {
  return (
    <select name={name} multiple size={choice.length}>
      {choice.map((each) => (
        <option key={String(each)} value={String(each)} selected={chosen.includes(each)}>
          {String(each)}
        </option>
      ))}
    </select>
  );
}

/** Objects by name, written as JSON; what is wrong with them is said once they are left, and keeps them from being sent. */
function Json({ name }: { name: string }) {
  const [complaint, setComplaint] = useState("");
  const look = ({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => {
    const fault = faultOf(currentTarget.value);
    currentTarget.setCustomValidity(fault);
    return fault;
  };
  return (
    <>
      <textarea name={name} rows={3} spellcheck={false} autocapitalize="off" aria-invalid={complaint !== ""} onInput={(event) => look(event) || setComplaint("")} onBlur={(event) => setComplaint(look(event))} />
      {complaint && <small class="bad" role="alert">{complaint}</small>}
    </>
  );
}

/** Say what keeps a text from being objects by name; nothing when it is that, or empty. */
function faultOf(text: string): string {
  const found = parsed(text);
  if (text.trim() === "" || (isObject(found) && Object.values(found).every(isObject))) return "";
  if (found === undefined) return 'Not JSON: a brace, a comma or a straight quote is missing or too many. Write it as in {"name": {"key": 1}}.';
  return 'Write a name, and in braces what differs, as in {"name": {"key": 1}}.';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What Airflow is told: numbers as numbers, and nothing for what was left empty. */
export function read(form: FormData, params: Record<string, Param>, given: Record<string, unknown>): Record<string, unknown> {
  const conf: Record<string, unknown> = {};
  for (const [name, param] of Object.entries(params)) conf[name] = given[name] ?? answer(form, name, param);
  return conf;
}

function answer(form: FormData, name: string, param: Param): unknown {
  const kind = kindOf(param);
  const value = form.get(name);
  if (kind === "array") return form.getAll(name);
  if (kind === "boolean") return value !== null;
  if (String(value ?? "").trim() === "" && mayBeEmpty(param)) return null;
  if (kind === "object") return parsed(String(value)) ?? value;
  if (param.schema.enum) return param.schema.enum.find((each) => String(each) === value);
  return kind === "string" ? value : Number(value);
}

function kindOf({ schema }: Param): string {
  const types = [schema.type ?? "string"].flat();
  return types.find((type) => type !== "null") ?? "string";
}

function mayBeEmpty({ schema }: Param): boolean {
  return [schema.type ?? []].flat().includes("null");
}
