#pragma once
from_once
