from tests.gpu.conftest import compiler  # noqa: F401 - a fixture
