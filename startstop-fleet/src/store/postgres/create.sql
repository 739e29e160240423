create sequence if not exists startstop_fence;
create table if not exists startstop_leases (
    name text primary key,
    holder text,
    fence bigint not null,
    version bigint not null,
    lease_ms bigint
);
