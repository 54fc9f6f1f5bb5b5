-- The outbox of a database: what must happen after the transactions of its tenants.
--
-- One table for all tenants of the database, so that the relay's cost does not grow with them.
-- Tenants' roles hold no grant on it; they call functions that run as the owner and take the
-- tenant from the role of the caller, never from an argument. Run by the owner, any number of
-- times; the schema `outbox` and the roles exist (tenants/bootstrap.py).

CREATE TABLE IF NOT EXISTS outbox.messages (
  id uuid PRIMARY KEY,
  tenant uuid NOT NULL,
  actor text NOT NULL CHECK (actor ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$' AND length(actor) <= 200),
  args jsonb NOT NULL CHECK (jsonb_typeof(args) = 'object'),
  trace text NOT NULL DEFAULT '' CHECK (length(trace) <= 100),
  key text CHECK (length(key) BETWEEN 1 AND 400),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'dead', 'discarded')),
  put_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL,
  -- the relay's side: when to ring the doorbell next, since when the message is with the workers
  -- (null when it is not), and how often the bell was rung in vain
  send_at timestamptz NOT NULL,
  sent_at timestamptz,
  sends integer NOT NULL DEFAULT 0,
  -- the worker's side: the attempt under way, and until when nobody else may begin one
  attempt integer NOT NULL DEFAULT 0,
  leased_until timestamptz,
  finished_at timestamptz,
  error text
) WITH (
  -- A queue is rewritten all day: vacuum it by the count of dead rows, not by a share.
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.0,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_analyze_scale_factor = 0.0,
  autovacuum_analyze_threshold = 5000
);

-- Polling and purging read these alone: their cost follows the rows they hold, not the table.
CREATE INDEX IF NOT EXISTS messages_to_send ON outbox.messages (send_at) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS messages_finished ON outbox.messages (finished_at)
  WHERE state IN ('done', 'discarded');
CREATE INDEX IF NOT EXISTS messages_dead ON outbox.messages (finished_at) WHERE state = 'dead';
-- Fair shares: whose messages are due, and how many of each tenant's are with the workers.
CREATE INDEX IF NOT EXISTS messages_of_tenant ON outbox.messages (tenant, send_at)
  WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS messages_in_flight ON outbox.messages (tenant)
  WHERE state = 'pending' AND sent_at IS NOT NULL;
-- A request once accepted is known until its row is purged.
CREATE UNIQUE INDEX IF NOT EXISTS messages_once ON outbox.messages (tenant, actor, key)
  WHERE key IS NOT NULL;

CREATE OR REPLACE FUNCTION outbox.caller() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- In a SECURITY DEFINER function current_user is the owner; this setting is still the caller.
  acting text := pg_catalog.current_setting('role');
BEGIN
  IF acting = 'platform' THEN
    RETURN '00000000-0000-0000-0000-000000000000';
  ELSIF acting ~ '^t_[0-9a-f]{32}$' THEN
    RETURN pg_catalog.substr(acting, 3)::uuid;
  END IF;
  RAISE EXCEPTION 'role % is no tenant: it has no messages', acting
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE FUNCTION outbox.put(
  p_id uuid, p_actor text, p_args jsonb, p_trace text, p_key text, p_due_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sender uuid := outbox.caller();
  due timestamptz := coalesce(p_due_at, clock_timestamp());
BEGIN
  INSERT INTO outbox.messages (id, tenant, actor, args, trace, key, due_at, send_at)
  VALUES (p_id, sender, p_actor, p_args, coalesce(p_trace, ''), p_key, due, due)
  ON CONFLICT (tenant, actor, key) WHERE key IS NOT NULL DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF due <= clock_timestamp() THEN
    PERFORM pg_notify('outbox', '');  -- a hint only: the relay polls besides
  END IF;
  RETURN true;
END $$;

-- Begins an attempt and counts it: one row, or none when the message is done, not yet due, being
-- worked on, or not the caller's. The worker commits this before it does anything, so that an
-- attempt which kills its process (out of memory, a crash in native code) has been counted; from
-- then on the lease keeps others off. After `p_most` attempts without an outcome no further one is
-- begun: the message is a dead letter, and `worn_out` says so.
DROP FUNCTION IF EXISTS outbox.take(uuid, interval);
CREATE OR REPLACE FUNCTION outbox.take(p_id uuid, p_lease interval, p_most integer)
RETURNS TABLE (actor text, args jsonb, trace text, attempt integer, worn_out boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  taker uuid := outbox.caller();
BEGIN
  PERFORM FROM outbox.messages m
    WHERE m.id = p_id AND m.tenant = taker AND m.state = 'pending' AND m.due_at <= moment
      AND (m.leased_until IS NULL OR m.leased_until <= moment)
    FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY UPDATE outbox.messages m
    SET state = 'dead', finished_at = moment, leased_until = NULL,
        error = 'WorkerDied: nothing was heard of attempt ' || m.attempt || ' of ' || p_most
    WHERE m.id = p_id AND m.attempt >= p_most
    RETURNING m.actor, m.args, m.trace, m.attempt, true;
  IF FOUND THEN
    RETURN;
  END IF;
  -- No wait for the disk: a count that is lost together with PostgreSQL's memory is no loss, and
  -- nothing that commits later can be kept without it.
  PERFORM set_config('synchronous_commit', 'off', true);
  RETURN QUERY UPDATE outbox.messages m
    SET attempt = m.attempt + 1, leased_until = moment + p_lease, send_at = moment + p_lease
    WHERE m.id = p_id
    RETURNING m.actor, m.args, m.trace, m.attempt, false;
END $$;

-- Keeps a lease from running out under a worker that is still busy. A row that is locked is being
-- finished: then there is nothing to do here.
CREATE OR REPLACE FUNCTION outbox.renew(p_id uuid, p_attempt integer, p_lease interval)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  taker uuid := outbox.caller();
BEGIN
  PERFORM FROM outbox.messages m
    WHERE m.id = p_id AND m.tenant = taker AND m.state = 'pending' AND m.attempt = p_attempt
      AND m.leased_until IS NOT NULL
    FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE outbox.messages m SET leased_until = moment + p_lease, send_at = moment + p_lease
    WHERE m.id = p_id;
  RETURN true;
END $$;

-- A tenant's message is off its workers' hands: is another of its messages waiting for that?
-- A plan made while the queue was empty must not read all of it when it is full.
CREATE OR REPLACE FUNCTION outbox.make_room(p_tenant uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
AS $$
BEGIN
  IF (
    SELECT m.send_at FROM outbox.messages m
    WHERE m.tenant = p_tenant AND m.state = 'pending' ORDER BY m.send_at LIMIT 1
  ) <= clock_timestamp() THEN
    PERFORM pg_notify('outbox', '');
  END IF;
END $$;

-- Ends an attempt well; false when it is no longer the caller's to end (the lease ran out and
-- another began), in which case the caller must undo its work. The arguments are forgotten: they
-- may hold personal data, and from here on the row only remembers that it happened.
CREATE OR REPLACE FUNCTION outbox.finish(p_id uuid, p_attempt integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  taker uuid := outbox.caller();
BEGIN
  UPDATE outbox.messages m
    SET state = 'done', finished_at = clock_timestamp(), leased_until = NULL, error = NULL,
        args = '{}'
    WHERE m.id = p_id AND m.tenant = taker AND m.state = 'pending' AND m.attempt = p_attempt;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM outbox.make_room(taker);
  RETURN true;
END $$;

-- Ends an attempt badly: again after `p_retry_in`, or, without one, never by itself.
CREATE OR REPLACE FUNCTION outbox.fail(
  p_id uuid, p_attempt integer, p_error text, p_retry_in interval
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  taker uuid := outbox.caller();
BEGIN
  UPDATE outbox.messages m
    SET state = CASE WHEN p_retry_in IS NULL THEN 'dead' ELSE 'pending' END,
        finished_at = CASE WHEN p_retry_in IS NULL THEN moment END,
        error = left(p_error, 500), leased_until = NULL, sends = 0,
        due_at = moment + coalesce(p_retry_in, '0'), send_at = moment + coalesce(p_retry_in, '0')
    WHERE m.id = p_id AND m.tenant = taker AND m.state = 'pending' AND m.attempt = p_attempt;
  RETURN FOUND;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA outbox FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  outbox.put(uuid, text, jsonb, text, text, timestamptz),
  outbox.take(uuid, interval, integer),
  outbox.renew(uuid, integer, interval),
  outbox.finish(uuid, integer),
  outbox.fail(uuid, integer, text, interval)
TO atrium_tenants;

-- The relay steers messages; it does not read what is in them, nor make them.
GRANT SELECT (id, tenant, actor, trace, state, put_at, due_at, send_at, sent_at, sends, attempt,
              leased_until, finished_at, error) ON outbox.messages TO atrium_relay;
GRANT UPDATE (state, due_at, send_at, sent_at, sends, attempt, leased_until, finished_at, args)
  ON outbox.messages TO atrium_relay;
GRANT DELETE ON outbox.messages TO atrium_relay;
