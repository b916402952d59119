-- A database per service; run once, by the image, when the volume is empty.
CREATE DATABASE registry;
CREATE DATABASE logsvc;
CREATE DATABASE grading;
CREATE DATABASE webui;
