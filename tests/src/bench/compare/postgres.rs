//! PostgreSQL 15, asked by a client in Rust with prepared statements.

use anyhow::{Context, Result};
use futures_util::pin_mut;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::cluster::Cluster;
use super::contender::{Asked, Loaded, Step};
use super::figure::{Figure, figures};
use super::question::{Answer, Key, Question, TOP, text};
use super::world::{Group, World};

/// The table, as narrow as it can be and with what the service keeps of a figure.
const TABLE: &str = "
CREATE TABLE figures (
    dataset smallint NOT NULL,
    reporter smallint NOT NULL,
    partner smallint NOT NULL,
    flow smallint NOT NULL,
    period integer NOT NULL,
    level smallint NOT NULL,
    code text COLLATE \"C\" NOT NULL,
    value bigint NOT NULL,
    net_weight bigint,
    quantity bigint,
    quantity_unit smallint,
    flags smallint NOT NULL,
    recorded timestamptz NOT NULL DEFAULT now()
)";

/// The way in: `recorded` is filled in by the server.
const COPY: &str = "
COPY figures (dataset, reporter, partner, flow, period, level, code, value, net_weight, quantity,
              quantity_unit, flags)
FROM STDIN (FORMAT binary)";

const COLUMNS: [Type; 12] = [
    Type::INT2,
    Type::INT2,
    Type::INT2,
    Type::INT2,
    Type::INT4,
    Type::INT2,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::INT2,
];

/// After the rows: building an index over rows that are in is the quickest way to it. Each question is
/// answered from one of them alone, except the point, which reads the rest of its row. VACUUM marks the
/// pages whose rows need not be looked at for that. The partner is a part of the last one's key and not
/// only carried by it: the planner takes either this index or the primary key for a point, and has to find
/// one row in both.
const AFTER: [(&str, &str); 4] = [
    (
        "primary key",
        "ALTER TABLE figures ADD CONSTRAINT figures_key
         PRIMARY KEY (dataset, reporter, partner, flow, code, period) INCLUDE (value)",
    ),
    (
        "index of levels",
        "CREATE INDEX figures_by_level
         ON figures (dataset, reporter, partner, flow, level, period) INCLUDE (code, value)",
    ),
    (
        "index of partners",
        "CREATE INDEX figures_by_code
         ON figures (dataset, reporter, flow, code, period, partner) INCLUDE (value)",
    ),
    ("VACUUM ANALYZE", "VACUUM (ANALYZE) figures"),
];

/// Figures that are made while those before are sent.
const BATCHES_AHEAD: usize = 64;

/// A server with the rows in it.
pub(super) struct Postgres {
    client: Client,
    /// In the order of [`Question::ALL`].
    statements: Vec<Statement>,
    // Dropped last.
    _cluster: Cluster,
}

/// A statement and its parameters.
pub(super) struct Call {
    statement: Statement,
    parameters: Vec<Box<dyn ToSql + Sync>>,
}

impl Postgres {
    /// Loads all rows of the world into a new cluster, and makes it ready for all questions.
    pub(super) async fn load(cluster: Cluster, world: World) -> Result<(Postgres, Loaded)> {
        let client = cluster.connect().await?;
        client.batch_execute(TABLE).await?;
        let started = Instant::now();
        let rows = copy(&client, world).await?;
        let mut steps = vec![Step::new("COPY", started.elapsed())];
        for (name, statement) in AFTER {
            let started = Instant::now();
            client.batch_execute(statement).await?;
            steps.push(Step::new(name, started.elapsed()));
        }
        client.batch_execute("CHECKPOINT").await?;
        let mut statements = Vec::new();
        for question in Question::ALL {
            statements.push(client.prepare(&sql(question)).await?);
        }
        let bytes: i64 = client
            .query_one("SELECT pg_total_relation_size('figures')", &[])
            .await?
            .get(0);
        let loaded = Loaded {
            rows,
            steps,
            bytes: bytes.unsigned_abs(),
            about: about(&client).await?,
        };
        let postgres = Postgres {
            client,
            statements,
            _cluster: cluster,
        };
        Ok((postgres, loaded))
    }
}

/// How many rows it took.
async fn copy(client: &Client, world: World) -> Result<u64> {
    let (sender, mut receiver) = mpsc::channel::<Group>(BATCHES_AHEAD);
    let making = tokio::task::spawn_blocking(move || {
        // It is over when nobody takes them any more.
        drop(
            world
                .groups()
                .try_for_each(|group| sender.blocking_send(group)),
        );
    });
    let writer = BinaryCopyInWriter::new(client.copy_in(COPY).await?, &COLUMNS);
    pin_mut!(writer);
    while let Some(group) = receiver.recv().await {
        for figure in figures(group) {
            writer.as_mut().write(&columns(&figure)).await?;
        }
    }
    making.await?;
    Ok(writer.finish().await?)
}

fn columns(figure: &Figure) -> [&(dyn ToSql + Sync); 12] {
    let Figure {
        reporter,
        partner,
        flow,
        period,
        level,
        code,
        value,
        net_weight,
        quantity,
        quantity_unit,
        flags,
    } = figure;
    [
        &1_i16,
        reporter,
        partner,
        flow,
        period,
        level,
        code,
        value,
        net_weight,
        quantity,
        quantity_unit,
        flags,
    ]
}

async fn about(client: &Client) -> Result<String> {
    let version: String = client.query_one("SHOW server_version", &[]).await?.get(0);
    let settings = client
        .query(
            "SELECT name || '=' || current_setting(name) FROM pg_settings
             WHERE source = 'command line' AND category NOT LIKE 'Connections%' ORDER BY name",
            &[],
        )
        .await?;
    let settings: Vec<String> = settings.iter().map(|row| row.get(0)).collect();
    Ok(format!(
        "PostgreSQL {version}, prepared statements over TCP on loopback; {}",
        settings.join(", ")
    ))
}

/// The statement of a question.
fn sql(question: Question) -> String {
    match question {
        Question::Point => "
            SELECT value, net_weight, quantity, quantity_unit, flags, recorded FROM figures
            WHERE dataset = 1 AND reporter = $1 AND partner = $2 AND flow = $3 AND code = $4
                AND period = $5"
            .into(),
        Question::Series => "
            SELECT period, value FROM figures
            WHERE dataset = 1 AND reporter = $1 AND partner = $2 AND flow = $3 AND code = 'TOTAL'
            ORDER BY period"
            .into(),
        Question::Partners => format!(
            "WITH sums AS (
                SELECT partner,
                    coalesce(sum(value) FILTER (WHERE period >= $4), 0)::bigint AS value,
                    coalesce(sum(value) FILTER (WHERE period < $4), 0)::bigint AS before
                FROM figures
                WHERE dataset = 1 AND reporter = $1 AND flow = $2 AND code = 'TOTAL'
                    AND period BETWEEN $3 AND $5
                GROUP BY partner)
            SELECT partner, value, before, (SELECT value FROM sums WHERE partner = 0) AS world
            FROM sums WHERE partner <> 0 ORDER BY value DESC, partner LIMIT {TOP}"
        ),
        Question::Commodities => format!(
            "SELECT code,
                coalesce(sum(value) FILTER (WHERE period >= $5), 0)::bigint AS value,
                coalesce(sum(value) FILTER (WHERE period < $5), 0)::bigint AS before,
                (SELECT sum(value)::bigint FROM figures
                 WHERE dataset = 1 AND reporter = $1 AND partner = $2 AND flow = $3 AND code = 'TOTAL'
                     AND period BETWEEN $5 AND $6) AS total
            FROM figures
            WHERE dataset = 1 AND reporter = $1 AND partner = $2 AND flow = $3 AND level = 6
                AND period BETWEEN $4 AND $6
            GROUP BY code ORDER BY 2 DESC, code LIMIT {TOP}"
        ),
        Question::Mirror => "
            SELECT direction, code,
                sum(value) FILTER (WHERE flow = 2)::bigint,
                sum(value) FILTER (WHERE flow = 1)::bigint
            FROM (
                SELECT 3 - flow AS direction, flow, code, value FROM figures
                WHERE dataset = 1 AND reporter = $1 AND partner = $2 AND flow IN (1, 2)
                    AND level IN (0, 2) AND period BETWEEN $3 AND $4
                UNION ALL
                SELECT flow, flow, code, value FROM figures
                WHERE dataset = 1 AND reporter = $2 AND partner = $1 AND flow IN (1, 2)
                    AND level IN (0, 2) AND period BETWEEN $3 AND $4) AS sides
            GROUP BY direction, code ORDER BY direction, code"
            .into(),
    }
}

impl Asked for Postgres {
    type Call = Call;
    type Reply = Vec<Row>;

    fn call(&self, question: Question, key: &Key) -> Call {
        Call {
            statement: self.statements[question as usize].clone(),
            parameters: parameters(question, key),
        }
    }

    async fn ask(&mut self, call: Call) -> Result<Vec<Row>> {
        let parameters: Vec<_> = call.parameters.iter().map(AsRef::as_ref).collect();
        let rows = self.client.query(&call.statement, &parameters).await;
        rows.context("PostgreSQL refused a question")
    }

    fn answer(question: Question, rows: Vec<Row>) -> Result<Answer> {
        let rows = rows.iter().map(|row| told(question, row));
        Ok(Answer::of_table(question, rows.collect()))
    }
}

fn parameters(question: Question, key: &Key) -> Vec<Box<dyn ToSql + Sync>> {
    let (reporter, partner) = (Box::new(key.reporter()), Box::new(key.partner()));
    let flow = Box::new(key.flow());
    let (before, from, last) = (
        Box::new(key.before()),
        Box::new(key.period()),
        Box::new(key.last()),
    );
    match question {
        Question::Point => vec![reporter, partner, flow, Box::new(key.code()), from],
        Question::Series => vec![reporter, partner, flow],
        Question::Partners => vec![reporter, flow, before, from, last],
        Question::Commodities => vec![reporter, partner, flow, before, from, last],
        Question::Mirror => vec![reporter, partner, from, last],
    }
}

fn told(question: Question, row: &Row) -> Vec<String> {
    let number = |place| text(row.get::<_, Option<i64>>(place));
    match question {
        Question::Point => vec![
            number(0),
            number(1),
            number(2),
            text(row.get::<_, Option<i16>>(3)),
        ],
        Question::Series => vec![row.get::<_, i32>(0).to_string(), number(1)],
        Question::Partners => vec![
            row.get::<_, i16>(0).to_string(),
            number(1),
            number(2),
            number(3),
        ],
        Question::Commodities => vec![row.get(0), number(1), number(2), number(3)],
        Question::Mirror => vec![
            row.get::<_, i32>(0).to_string(),
            row.get(1),
            number(2),
            number(3),
        ],
    }
}
