/** The frame: two tabs, and the view the address asks for. */

import { EventView } from "./event";
import { EventsView } from "./events";
import { FleetView } from "./fleet";
import { FleetsView } from "./fleets";
import { to, useRoute, type Route } from "./route";
import { zoneName } from "./wording";

const TABS = [
  { name: "Fleets", view: "fleets", holds: ["fleets", "fleet"] },
  { name: "Events", view: "events", holds: ["events", "event"] },
] as const;

export function Page({ theme }: { theme: string }) {
  const route = useRoute();
  return (
    <div class="page">
      <header class="top">
        <h1>Scaling</h1>
        <nav aria-label="Scaling">
          {TABS.map((tab) => {
            const here = (tab.holds as readonly string[]).includes(route.view);
            return (
              <a key={tab.view} href={to(tab.view)} aria-current={here ? "page" : undefined}>
                {tab.name}
              </a>
            );
          })}
        </nav>
        <span class="quiet zone">times in {zoneName()}</span>
      </header>
      <main>{view(route, theme)}</main>
    </div>
  );
}

function view(route: Route, theme: string) {
  switch (route.view) {
    case "fleets":
      return <FleetsView />;
    case "fleet":
      return <FleetView key={route.name} name={route.name} theme={theme} />;
    case "events":
      return <EventsView asked={route.asked} />;
    case "event":
      return <EventView key={route.name} id={route.name} />;
  }
}
