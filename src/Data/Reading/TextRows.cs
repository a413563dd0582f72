using System.Text;
using System.Text.Json;

namespace SafeLlama.Data;

/// <summary>
/// Plain text. Blank lines separate documents; a list of prompts has one per line. Each becomes a field <c>text</c>.
/// </summary>
internal static class TextRows
{
    public static void Read(ReadOnlyMemory<byte> text, bool onePerLine, RowCollector found)
    {
        var document = new StringBuilder();
        var (line, first) = (0, 1);
        foreach (var current in Encoding.UTF8.GetString(text.Span).Replace("\r\n", "\n").Split('\n'))
        {
            line++;
            if (string.IsNullOrWhiteSpace(current) || onePerLine)
            {
                Close();
            }

            if (!string.IsNullOrWhiteSpace(current))
            {
                first = document.Length == 0 ? line : first;
                document.Append(document.Length == 0 ? "" : "\n").Append(current);
            }
        }

        Close();

        void Close()
        {
            if (document.Length > 0)
            {
                found.Row(first, new Dictionary<string, JsonElement>
                {
                    ["text"] = JsonSerializer.SerializeToElement(document.ToString()),
                });
                document.Clear();
            }
        }
    }
}
