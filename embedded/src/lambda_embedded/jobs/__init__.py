"""Job controller and kubelet for build Jobs: each container is a process.

Differences from a cluster: a Job has one pod at a time, whatever its parallelism; a pod is never
restarted in place; a missing volume, variable or program ends the container at once with exit code
128 instead of leaving it waiting; the pod of a Job that exceeded its deadline stays readable.
"""
