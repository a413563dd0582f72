using Parquet.Schema;
using Parquet.Serialization;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class ParquetRowsTests
{
    [Test]
    public void Columns_of_text_become_rows()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "rows.parquet");
        File.WriteAllBytes(path, Bytes("instruction", "output"));

        var file = ExampleFile.Read(path);

        Assert.That(
            file.Examples.Select(row => (row.Question, row.Answer)), Is.EqualTo(new[] { ("a", "b"), ("é\n", "😀") }));
        Assert.That(file.Examples.Select(row => row.Source.Line), Is.EqualTo(new[] { 1, 2 }), "the number of the row");
    }

    [Test]
    public async Task Conversations_are_lists_of_structures()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "chat.parquet");
        await using (var stream = File.Create(path))
        {
            Chat[] rows = [new() { messages = [new() { role = "user", content = "Hi" },
                new() { role = "assistant", content = "Hello" }] }];
            await ParquetSerializer.SerializeAsync(rows, stream);
        }

        var row = (ConversationExample)ExampleFile.Read(path).Examples.Single();

        Assert.That(row.Messages, Is.EqualTo(new[] { ChatMessage.User("Hi"), ChatMessage.Assistant("Hello") }));
    }

    [Test]
    [Category("Fault")]
    public void A_null_is_named_by_its_row()
    {
        var path = Path.Combine(TestFiles.NewFolder(), "rows.parquet");
        File.WriteAllBytes(path, Bytes("instruction", "output", secondOutput: null));

        Assert.That(
            ExampleFile.Inspect(path).Faults.Single().ToString(),
            Is.EqualTo($"{path}:2: output: is missing; every example to train on needs an answer."));
    }

    /// <summary>Two rows of two text columns.</summary>
    internal static byte[] Bytes(string first, string second, string? secondOutput = "😀")
    {
        var schema = new ParquetSchema(new DataField<string>(first), new DataField<string>(second));
        var stream = new MemoryStream();
        Dictionary<string, object?>[] rows =
        [
            new() { [first] = "a", [second] = "b" },
            new() { [first] = "é\n", [second] = secondOutput },
        ];
        ParquetSerializer.SerializeUntypedAsync(rows!, schema, stream).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    // Parquet.Net takes the names of columns from those of the properties.
#pragma warning disable IDE1006, CA1812
    private sealed class Chat
    {
        public List<Turn> messages { get; set; } = [];
    }

    private sealed class Turn
    {
        public string role { get; set; } = "";

        public string content { get; set; } = "";
    }
#pragma warning restore IDE1006, CA1812
}
