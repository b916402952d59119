"""Static files, served by the service whose pages they belong to."""

import threading
from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise carries no types
    """Looks for the files when the first of them is asked for: to know all takes an eighth of a service's start."""

    def __init__(self, get_response: Any) -> None:
        self._knows_files = False
        self._looking = threading.Lock()
        super().__init__(get_response)

    def __call__(self, request: Any) -> Any:
        if not self._knows_files and request.path_info.startswith(self.static_prefix):
            with self._looking:
                if not self._knows_files and not self.autorefresh:
                    super().add_files_from_finders()
                self._knows_files = True
        return super().__call__(request)

    def add_files_from_finders(self) -> None:
        """Nothing yet; WhiteNoise asks for it when it is made."""
