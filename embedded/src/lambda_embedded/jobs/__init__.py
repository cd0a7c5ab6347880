"""Job controller and kubelet for build Jobs: containers as processes, one after the other.

What differs from a cluster: one pod of a Job at a time, whatever its parallelism; a pod is never
restarted in place; a volume, variable or program that is missing ends the container at once with
exit code 128 instead of leaving it waiting; the pod of a Job that ran out of time stays readable.
"""
