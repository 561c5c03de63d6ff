"""The creators' doors."""
