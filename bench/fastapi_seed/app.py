"""The seeds' API as FastAPI and SQLAlchemy do it: synchronous routes, one session a request.

It is the peer that `cargo xtask bench api` measures against. Lists load their instances eagerly, and
answer what ours answers: clusters with a status made from that of their instances. It calls no Kubernetes.
"""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession, selectinload

from .models import Base, Cluster, Session, User, engine

Base.metadata.create_all(engine)
app = FastAPI(title="Seed")


class InstanceOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    instance_name: str
    status: str
    cluster_id: int
    k8s_resource_name: str


class ClusterOut(BaseModel):
    id: int
    name: str
    namespace: str
    instance_type: str
    cpu_per_instance: float
    memory_per_instance: float
    instance_count: int
    status: str
    owner_id: int
    created_at: float


class ClusterDetail(ClusterOut):
    instances: list[InstanceOut]


class Quota(BaseModel):
    total_cpu: float
    total_memory: float
    used_cpu: float
    used_memory: float
    available_cpu: float
    available_memory: float


def database():
    with Session() as session:
        yield session


Database = Annotated[OrmSession, Depends(database)]


def caller(session: Database, authorization: Annotated[str, Header()] = "") -> User:
    scheme, _, token = authorization.partition(" ")
    user = session.scalar(select(User).where(User.token == token)) if scheme == "Bearer" else None
    if user is None:
        raise HTTPException(401, "Invalid authentication credentials")
    return user


Caller = Annotated[User, Depends(caller)]


def status(cluster: Cluster) -> str:
    states = {instance.status for instance in cluster.instances}
    return states.pop() if len(states) == 1 else "mixed"


def fields(cluster: Cluster) -> dict:
    return {
        "id": cluster.id,
        "name": cluster.name,
        "namespace": cluster.namespace,
        "instance_type": cluster.instance_type,
        "cpu_per_instance": cluster.cpu_per_instance,
        "memory_per_instance": cluster.memory_per_instance,
        "instance_count": cluster.instance_count,
        "status": status(cluster),
        "owner_id": cluster.owner_id,
        "created_at": cluster.created_at,
    }


@app.get("/health")
def health() -> dict:
    return {"status": "healthy"}


@app.get("/api/v1/users/me/quota")
def quota(user: Caller) -> Quota:
    return Quota(
        total_cpu=user.quota_cpu,
        total_memory=user.quota_memory,
        used_cpu=user.used_cpu,
        used_memory=user.used_memory,
        available_cpu=user.quota_cpu - user.used_cpu,
        available_memory=user.quota_memory - user.used_memory,
    )


@app.get("/api/v1/clusters/")
def clusters(user: Caller, session: Database) -> list[ClusterOut]:
    query = select(Cluster).where(Cluster.owner_id == user.id).options(selectinload(Cluster.instances)).order_by(Cluster.id)
    return [ClusterOut(**fields(cluster)) for cluster in session.scalars(query.limit(500))]


@app.get("/api/v1/clusters/{cluster_id}")
def cluster(cluster_id: int, user: Caller, session: Database) -> ClusterDetail:
    query = select(Cluster).where(Cluster.id == cluster_id, Cluster.owner_id == user.id)
    found = session.scalar(query.options(selectinload(Cluster.instances)))
    if found is None:
        raise HTTPException(404, "Cluster not found")
    return ClusterDetail(**fields(found), instances=[InstanceOut.model_validate(i) for i in found.instances])
