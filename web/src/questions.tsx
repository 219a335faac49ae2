/** What a fleet's plan waits for: the question, its cost and picture, the answer, and what became of earlier ones. */

import { useEffect, useState } from "preact/hooks";
import { address, answer, type Choice } from "./airflow";
import { Badge } from "./badge";
import { lookAgain, useLive } from "./live";
import type { Person, Question, QuestionPage } from "./views";
import { away, clock, money } from "./wording";

const EARLIER = 3;
const LOOK_EVERY = 3_000;

export function Questions({ fleet }: { fleet: string }) {
  const page = useLive<QuestionPage>(`approvals?fleet=${encodeURIComponent(fleet)}&limit=20`).data;
  const me = useLive<Person>("me", 60_000).data;
  const waiting = page?.items.filter((each) => each.answer === null) ?? [];
  const earlier = page?.items.filter((each) => each.answer !== null).slice(0, EARLIER) ?? [];
  if (waiting.length + earlier.length === 0) return null;
  return (
    <section class="card questions">
      <h2>Approval</h2>
      {waiting.map((each) => (
        <Open key={each.id} question={each} may={may(me, each)} />
      ))}
      {earlier.length > 0 && (
        <ul class="earlier">
          {earlier.map((each) => (
            <Earlier key={each.id} question={each} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Airflow decides; this only spares a button that would be refused. */
function may(me: Person | null, { by }: Question): boolean {
  return me !== null && me.may_answer && (by.length === 0 || by.includes(me.id));
}

type Sent = { is: "no" } | { is: "sending" } | { is: "done"; choice: Choice } | { is: "refused"; problem: string };

function Open({ question, may }: { question: Question; may: boolean }) {
  const [sent, set] = useState<Sent>({ is: "no" });
  const send = async (choice: Choice) => {
    set({ is: "sending" });
    try {
      await answer(question.answer_path, choice);
      set({ is: "done", choice });
    } catch (error) {
      set({ is: "refused", problem: (error as Error).message });
    }
  };
  // Once it is acted on it is no longer open, and this goes.
  useEffect(() => {
    if (sent.is !== "done") return;
    const timer = setInterval(lookAgain, LOOK_EVERY);
    return () => clearInterval(timer);
  }, [sent.is]);
  const over = Date.parse(question.due_at) <= Date.now();
  return (
    <article>
      <p>
        <strong>{question.subject}</strong> <Badge word="waiting" />
      </p>
      <p>{`${question.reasons.join("; ")}.`}</p>
      <Hours question={question} />
      <p class="quiet">{[deadline(question, over), cost(question), question.by.length > 0 ? `Asked: ${question.by.join(", ")}.` : ""].filter(Boolean).join(" ")}</p>
      {sent.is === "refused" && <p class="warning" role="alert">{`Not answered: ${sent.problem}`}</p>}
      {sent.is === "done" ? (
        <p role="status">{`${sent.choice === "Approve" ? "Approved" : "Rejected"}. It is recorded and acted on within seconds.`}</p>
      ) : (
        <div class="actions">
          {may && !over && (
            <>
              <button type="button" class="primary" disabled={sent.is === "sending"} onClick={() => void send("Approve")}>
                Approve
              </button>
              <button type="button" disabled={sent.is === "sending"} onClick={() => void send("Reject")}>
                Reject
              </button>
            </>
          )}
          <a href={address(question.task_path)}>In Airflow</a>
        </div>
      )}
    </article>
  );
}

function deadline({ due_at: due, safe }: Question, over: boolean): string {
  return over ? `Time is up since ${clock(due)}: ${safe}, as soon as the fleet is looked at.` : `Waits until ${clock(due)}, ${away(due)}; then ${safe}.`;
}

function cost({ dollars_a_day: whole, dollars_held: held }: Question): string {
  return whole === null ? "" : `${money(whole)} in 24 hours if approved, ${money(held)} if not.`;
}

/** A bar an hour: what is done meanwhile, and what waits. */
function Hours({ question }: { question: Question }) {
  const { hours } = question;
  if (hours.length === 0) return null;
  const top = Math.max(1, ...hours.map((hour) => Math.max(hour.held, hour.asked)));
  const [word, most] = question.matter === "lower" ? ["least", Math.min] : ["most", Math.max];
  const told = `At ${word} ${most(...hours.map((hour) => hour.asked))} instances if approved, ${most(...hours.map((hour) => hour.held))} if not`;
  return (
    <figure class="hours">
      <svg viewBox={`0 0 ${hours.length} 1`} preserveAspectRatio="none" role="img" aria-label={told}>
        {hours.map(({ at, held, asked }, index) => (
          <g key={at}>
            <title>{`${clock(at)}: ${asked} if approved, ${held} if not`}</title>
            <rect class="waits" x={index + 0.08} width={0.84} y={1 - Math.max(held, asked) / top} height={Math.max(held, asked) / top} />
            <rect class="done" x={index + 0.08} width={0.84} y={1 - Math.min(held, asked) / top} height={Math.min(held, asked) / top} />
          </g>
        ))}
      </svg>
      <figcaption class="quiet">
        <span>{clock(hours[0]?.at ?? null)}</span>
        <span>{told}</span>
        <span>{clock(hours.at(-1)?.at ?? null)}</span>
      </figcaption>
    </figure>
  );
}

function Earlier({ question }: { question: Question }) {
  const who = question.expired ? "expired: nobody answered in time" : `by ${question.answered_by}`;
  return (
    <li>
      <Badge word={question.answer ?? ""} /> {question.subject} <span class="quiet">{`${who}, ${clock(question.answered_at)}; ${holds(question)}`}</span>
    </li>
  );
}

function holds({ holds_until: until }: Question): string {
  return Date.parse(until ?? "") > Date.now() ? `holds until ${clock(until)}` : `over since ${clock(until)}`;
}
