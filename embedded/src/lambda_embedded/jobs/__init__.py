"""Job controller and kubelet for build Jobs: each container is a process.

Differences from a cluster: a Job has one pod at a time, whatever its parallelism; a pod is never
restarted in place; a missing volume or program ends the container at once with exit code 128
instead of leaving it waiting; what a container leaves at a `file://` URL is put there when it has
ended well; the pod of a Job that exceeded its deadline stays readable.
"""
