-- The tables of orders, as they are now. Runs whenever one of them is missing (functions/migrate.py), and changes nothing that exists. The
-- staging parent is dropped first: if its schema was kept when the other was dropped, it may be of another version.
DROP TABLE IF EXISTS ${loader_schema}.order_stage;

-- Parent of each batch's staging table; its types are those of the tables below, so that COPY is the only gate.
CREATE TABLE IF NOT EXISTS ${loader_schema}.order_stage (
    order_id VARCHAR(64),
    updated_at TIMESTAMP,
    created_at TIMESTAMP,
    status VARCHAR(32),
    customer_id BIGINT,
    currency VARCHAR(8),
    total DECIMAL(12, 2),
    coupon_code VARCHAR(64)
) DISTKEY (order_id);

-- Every version of an order, once for each batch that has it. Rows never change: a batch adds its own, undo and reload delete a batch's.
CREATE TABLE IF NOT EXISTS ${schema}.order_versions (
    order_id VARCHAR(64) NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP,
    status VARCHAR(32),
    customer_id BIGINT,
    currency VARCHAR(8),
    total DECIMAL(12, 2),
    coupon_code VARCHAR(64),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) DISTKEY (order_id) SORTKEY (order_id);

-- The winner of each order's versions: the newest; of equally new versions, the one with the smaller content.
CREATE TABLE IF NOT EXISTS ${schema}.orders (
    order_id VARCHAR(64) NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP,
    status VARCHAR(32),
    customer_id BIGINT,
    currency VARCHAR(8),
    total DECIMAL(12, 2),
    coupon_code VARCHAR(64),
    load_id VARCHAR(64) NOT NULL,
    batch VARCHAR(64) NOT NULL
) DISTKEY (order_id) SORTKEY (order_id);
