using SafeLlama.Testing;

/// <summary>Deletes what the tests of this project left in folders of their own; a process may end too soon for
/// it.</summary>
[SetUpFixture]
#pragma warning disable CA1050 // Outside any namespace it is of the whole assembly.
public sealed class FoldersTearDown
#pragma warning restore CA1050
{
    [OneTimeTearDown]
    public void Delete() => TestFiles.DeleteFolders();
}
