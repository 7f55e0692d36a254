"""Fills the peer's database: one user with 20 clusters of 3 instances."""

import sys
import time

from .models import Base, Cluster, Instance, Session, User, engine


def main(token: str) -> None:
    Base.metadata.create_all(engine)
    with Session.begin() as session:
        user = User(username="bench", token=token, quota_cpu=1000.0, quota_memory=1000.0, used_cpu=60.0, used_memory=60.0)
        session.add(user)
        session.flush()
        for number in range(1, 21):
            name = f"bench-{number}"
            session.add(
                Cluster(
                    name=name,
                    namespace=f"{name}-ns",
                    instance_type="container",
                    cpu_per_instance=1.0,
                    memory_per_instance=1.0,
                    instance_count=3,
                    owner_id=user.id,
                    created_at=time.time(),
                    instances=[
                        Instance(instance_name=f"{name}-instance-{i}", status="running", k8s_resource_name=f"{name}-instance-{i}")
                        for i in range(1, 4)
                    ],
                )
            )


if __name__ == "__main__":
    main(sys.argv[1])
