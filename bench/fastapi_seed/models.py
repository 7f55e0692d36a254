"""Tables, as the seeds describe them: a user's use is a counter in its row."""

import os

from sqlalchemy import ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

# As many connections as wrk has, so that no request waits for the pool.
engine = create_engine(os.environ["DATABASE_URL"], pool_size=32, max_overflow=16)
Session = sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine, "connect")
def pragmas(connection, _record):
    """The same durability as ours."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 5000")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(unique=True, index=True)
    quota_cpu: Mapped[float]
    quota_memory: Mapped[float]
    used_cpu: Mapped[float] = mapped_column(default=0.0)
    used_memory: Mapped[float] = mapped_column(default=0.0)


class Cluster(Base):
    __tablename__ = "clusters"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    namespace: Mapped[str]
    instance_type: Mapped[str]
    cpu_per_instance: Mapped[float]
    memory_per_instance: Mapped[float]
    instance_count: Mapped[int]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[float]
    instances: Mapped[list["Instance"]] = relationship(back_populates="cluster", cascade="all, delete-orphan")


class Instance(Base):
    __tablename__ = "instances"

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_name: Mapped[str]
    status: Mapped[str]
    k8s_resource_name: Mapped[str]
    cluster_id: Mapped[int] = mapped_column(ForeignKey("clusters.id"), index=True)
    cluster: Mapped[Cluster] = relationship(back_populates="instances")
