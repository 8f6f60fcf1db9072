"""Values within the contract's limits: conversion, shortening and escaping."""
