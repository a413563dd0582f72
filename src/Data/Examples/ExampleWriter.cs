using System.Text.Encodings.Web;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Writes examples as JSONL, one row a line, in the fields <see cref="ExampleFile"/> reads.</summary>
public static class ExampleWriter
{
    // Readable as it stands: letters outside ASCII and quotes are not escaped. The files are no part of a web page.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file, reads it back, and only then gives it its name.</summary>
    /// <exception cref="SafeLlamaException">
    /// It exists already, cannot be written, or reads back differently.
    /// </exception>
    public static void Write(string path, IReadOnlyList<TrainingExample> examples)
    {
        if (File.Exists(path))
        {
            throw SafeLlamaException.Usage($"`Out` {path}: exists, and nothing is overwritten. Name another file.");
        }

        OutputFile.Write(
            path,
            stream => Write(stream, examples),
            written =>
            {
                if (CountLines(written) != examples.Count)
                {
                    throw new IOException("what was read back has another number of rows.");
                }
            });
    }

    /// <summary>Writes the rows to a stream, in order.</summary>
    public static void Write(Stream stream, IEnumerable<TrainingExample> examples)
    {
        using var json = new Utf8JsonWriter(stream, Options);
        foreach (var example in examples)
        {
            json.WriteStartObject();
            Text(json, "id", example.Id);
            Text(json, "origin_id", example.OriginId);
            Text(json, "category", example.Category);
            Fields(json, example);
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            stream.WriteByte((byte)'\n');
        }
    }

    private static void Fields(Utf8JsonWriter json, TrainingExample example)
    {
        switch (example)
        {
            case InstructionExample row:
                json.WriteString("instruction", row.Instruction);
                json.WriteString("input", row.Input);
                json.WriteString("output", row.Output);
                break;
            case CompletionExample row:
                json.WriteString("prompt", row.Prompt);
                json.WriteString("completion", row.Completion);
                break;
            case ConversationExample row:
                json.WriteStartArray("messages");
                foreach (var message in row.Messages)
                {
                    json.WriteStartObject();
                    json.WriteString("role", message.Role.ToString().ToLowerInvariant());
                    json.WriteString("content", message.Content);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                break;
            case TextExample row:
                json.WriteString("text", row.Text);
                break;
        }
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            json.WriteString(name, value);
        }
    }

    private static int CountLines(string path)
    {
        var count = 0;
        foreach (var _ in File.ReadLines(path))
        {
            count++;
        }

        return count;
    }
}
