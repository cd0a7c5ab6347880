def handler(event):
    """Do the work of one tick of schedule.yaml.

    A tick may be delivered twice: work that was done already should do no harm.
    """
    report = event.data["report"]
    print(f"Writing the {report} report of {event['time']}")
