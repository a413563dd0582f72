using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A plain text file: UTF-8, possibly gzipped.</summary>
public static class TextFile
{
    /// <summary>The whole text, without a byte order mark.</summary>
    /// <returns>The text, and remarks on ignored content, one line each.</returns>
    /// <exception cref="SafeLlamaException">The file is missing, cannot be read, or is no UTF-8.</exception>
    public static (string Text, IReadOnlyList<string> Notes) Read(string path)
    {
        var bytes = FileBytes.Read(path);
        var found = new RowCollector(path);
        if (bytes.Fault is { } fault)
        {
            throw SafeLlamaException.InvalidData($"{path}: {fault}");
        }

        var text = Utf8Text.Check(bytes.Content, found);
        return found.Faults.Count == 0
            ? (Encoding.UTF8.GetString(text.Span), found.Notes)
            : throw SafeLlamaException.InvalidData(DataFaults.Report(found.Faults));
    }
}
