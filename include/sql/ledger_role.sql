-- The role tasks reach the ledger with (Airflow connection `scaling_ledger`). Run it on the Airflow metadata database
-- after `airflow db migrate`, as the owner of its tables:
--
--   psql "$AIRFLOW_DATABASE" -v password="choose one" -f ledger_role.sql
--
-- The role reads our tables, inserts events, opens and closes operations, keeps the present of fleets, and can do
-- nothing else: it cannot change or delete an event, delete an operation, an override or an answer, or read a table of Airflow's.
--
-- Running it again changes nothing but what is new in it; the password of a role that exists stays.

select format('create role scaling_ledger login nosuperuser nocreatedb nocreaterole noinherit password %L', :'password')
where not exists (select from pg_roles where rolname = 'scaling_ledger') \gexec

grant usage on schema public to scaling_ledger;
grant select, insert on scaling_event to scaling_ledger;
grant select, insert on scaling_operation to scaling_ledger;
grant update (state, outcome, opened_at, closed_at, try_number) on scaling_operation to scaling_ledger;
grant select, insert, update on scaling_gate, scaling_status, scaling_look to scaling_ledger;
grant select, insert on scaling_override to scaling_ledger;
grant update (ended_at, ended_by, returned_at) on scaling_override to scaling_ledger;
grant select, insert on scaling_approval to scaling_ledger;
grant update (answer, answered_by, answered_at, holds_until) on scaling_approval to scaling_ledger;
grant select, insert, update, delete on scaling_autoscaler to scaling_ledger;
grant select, insert, update on scaling_pace to scaling_ledger;
