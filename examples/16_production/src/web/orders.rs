//! Orders, taken and looked up.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};

use super::Desk;
use super::problem::Problem;

/// How long a packed order is remembered, in seconds. It does not change any more.
const REMEMBERED: u64 = 60;

#[derive(Debug, Deserialize)]
pub(super) struct Order {
    item: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Taken {
    id: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Found {
    id: i64,
    packed: bool,
}

/// `POST /orders`: the answer comes when the order is in the database.
pub(super) async fn take(
    State(desk): State<Desk>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Taken>), Problem> {
    let pool = desk.pool.get().ok_or(Problem::Away("the database"))?;
    let insert = sqlx::query_scalar("insert into orders (item) values ($1) returning id");
    let id = insert.bind(order.item).fetch_one(&*pool).await?;
    Ok((StatusCode::CREATED, Json(Taken { id })))
}

/// `GET /orders/ID`: from the cache, or else from the database.
pub(super) async fn look_up(
    State(desk): State<Desk>,
    Path(id): Path<i64>,
) -> Result<Json<Found>, Problem> {
    let redis = desk.redis.get().ok_or(Problem::Away("the cache"))?;
    let mut redis = (*redis).clone();
    let key = format!("packed:{id}");
    if redis.exists(&key).await? {
        return Ok(Json(Found { id, packed: true }));
    }
    let pool = desk.pool.get().ok_or(Problem::Away("the database"))?;
    let select = sqlx::query_scalar("select packed_at is not null from orders where id = $1");
    let packed = select
        .bind(id)
        .fetch_optional(&*pool)
        .await?
        .ok_or(Problem::NoSuchOrder)?;
    if packed {
        redis.set_ex::<_, _, ()>(&key, 1, REMEMBERED).await?;
    }
    Ok(Json(Found { id, packed }))
}
