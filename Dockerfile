# One recipe for the control functions; the context is the root of the repository.
#   docker build --build-arg FUNCTION=delete --build-arg PYTHON_VERSION=3.13 --build-arg PYTHON_DIGEST=sha256:... .
# `make images` does it for all of them; without docker it takes everything below the last FROM from here.
ARG PYTHON_VERSION
ARG PYTHON_DIGEST
FROM python:${PYTHON_VERSION}-slim@${PYTHON_DIGEST} AS contents
ARG FUNCTION
WORKDIR /checkout
COPY requirements/ requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/builder.txt
COPY images/ images/
COPY oci/ oci/
COPY shared/ shared/
COPY functions/ functions/
RUN python -m images.contents function /out "$FUNCTION"

FROM python:${PYTHON_VERSION}-slim@${PYTHON_DIGEST}
ARG FUNCTION
# A read-only container would compile the standard library again at every start.
RUN python -m compileall -q -x '/(test|tests|idle_test|lib2to3)/' --invalidation-mode unchecked-hash \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=contents /out/dependencies/ /
COPY --from=contents /out/code/ /

# /dev/shm is the one place that can be written to where the root is read-only: the server's heartbeat and socket are there.
ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 TMPDIR=/dev/shm XDG_RUNTIME_DIR=/dev/shm PORT=8080
LABEL org.opencontainers.image.title=knative-lambda-${FUNCTION} org.opencontainers.image.licenses=Apache-2.0
WORKDIR /app
# By number, so that a cluster can see that it is not root.
USER 65532:65532
EXPOSE 8080
# Isolated: neither a variable nor a file in a home changes what is imported.
ENTRYPOINT ["python", "-I", "-m", "functions_framework", "--target=handle", "--source=/app/main.py"]
