def test_boto3_is_the_one_of_the_distribution(nights):
    path = nights.db.check_output("python3 -c 'import boto3; print(boto3.__file__)'")
    assert path == "/usr/lib/python3/dist-packages/boto3/__init__.py"


def test_the_backup_is_in_the_bucket_and_a_second_run_sent_nothing(nights):
    (backup,) = nights.on_the_host()
    assert nights.in_the_store() == [backup]
    assert nights.report()["outcome"] == "success"
    assert nights.report()["three_two_one"]["missing"] == []
    (store,) = nights.report()["stores"]
    assert (store["sent"], store["present"]) == ([], 1)
