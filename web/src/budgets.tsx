/** What the budgets allow, and how much of it is spent, committed and asked for. */

import { Badge } from "./badge";
import { useLive } from "./live";
import { to } from "./route";
import type { Budget, BudgetPage, BudgetSum } from "./views";
import { away, money, percent } from "./wording";

/** Nothing where there is no budget: most deployments begin without one. */
export function Budgets() {
  const live = useLive<BudgetPage>("budgets", 30_000);
  if (live.problem) return <p class="warning">{live.problem.detail}</p>;
  if (!live.data || live.data.items.length === 0) return null;
  return (
    <section class="card" aria-label="Budgets">
      <h2>Budgets</h2>
      <div class="budgets">
        {live.data.items.map((budget) => (
          <OneBudget key={budget.name} budget={budget} />
        ))}
      </div>
    </section>
  );
}

function OneBudget({ budget }: { budget: Budget }) {
  const who = budget.fleets.length === 0 ? "every fleet" : budget.fleets.join(", ");
  return (
    <div class="budget">
      <h3>
        {budget.name} {budget.outcome && <Badge word={budget.outcome} />} <small class="quiet">{who}</small>
      </h3>
      {budget.sums.map((sum) => (
        <Meter key={`${sum.span} ${sum.when}`} sum={sum} />
      ))}
      {budget.event_id === null ? (
        <p class="quiet">{budget.reason}</p>
      ) : (
        <p class="quiet">
          <a href={to("event", String(budget.event_id))}>{`judged ${away(budget.judged_at)}`}</a>, at the cap: {budget.at_cap}
        </p>
      )}
    </div>
  );
}

function Meter({ sum }: { sum: BudgetSum }) {
  const share = sum.cap > 0 ? sum.total / sum.cap : 1;
  const part = (amount: number) => `${Math.min(100, sum.cap > 0 ? (100 * amount) / sum.cap : 100)}%`;
  const told = `${money(sum.spent)} spent, ${money(sum.committed)} committed, ${money(sum.asked)} asked, of ${money(sum.cap)}`;
  return (
    <div class="meter" title={sum.chance ? `${told}; ${sum.chance} that the load passes it` : told}>
      <span class="quiet">{`${sum.span} ${sum.when}`}</span>
      <span class={share > 1 ? "bad" : share > 0.9 ? "warn" : ""}>{`${money(sum.total)} of ${money(sum.cap)}, ${percent(share)}`}</span>
      <div class="bar" role="img" aria-label={told}>
        <i class="spent" style={{ width: part(sum.spent) }} />
        <i class="committed" style={{ width: part(sum.committed) }} />
        <i class="asked" style={{ width: part(sum.asked) }} />
      </div>
    </div>
  );
}
