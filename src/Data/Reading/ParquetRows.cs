using System.Text.Json;
using Parquet.Serialization;

namespace SafeLlama.Data;

/// <summary>Parquet, read column by column by Parquet.Net and handed on as rows.</summary>
/// <remarks>
/// Damaged files make the library throw exceptions of any kind or never return: a count in a damaged footer may be
/// several billion. So it reads on a thread of its own, which is abandoned after a time limit.
/// </remarks>
internal static class ParquetRows
{
    private const int BytesPerSecond = 1 << 20;

    /// <summary>How long a file may take, besides a second for each megabyte.</summary>
    internal static TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(20);

    public static void Read(ReadOnlyMemory<byte> content, RowCollector found)
    {
        IList<Dictionary<string, object>> rows = [];
        string? fault = null;
        using var cancellation = new CancellationTokenSource();
        var reader = new Thread(() => fault = Read(content, cancellation.Token, out rows))
        {
            IsBackground = true,
            Priority = ThreadPriority.BelowNormal,
        };
        reader.Start();
        var patience = Patience + TimeSpan.FromSeconds(content.Length / BytesPerSecond);
        if (!reader.Join(patience))
        {
            cancellation.Cancel();
            found.Fault(1, "", $"is not readable as Parquet: no end after {patience.TotalSeconds:0} s; it is damaged.");
            return;
        }

        if (fault is not null)
        {
            found.Fault(1, "", "is not readable as Parquet: " + fault);
            return;
        }

        foreach (var row in rows)
        {
            Add(row, found);
        }
    }

    private static string? Read(
        ReadOnlyMemory<byte> content, CancellationToken cancellation, out IList<Dictionary<string, object>> rows)
    {
        rows = [];
        try
        {
            using var stream = new MemoryStream(content.ToArray(), writable: false);
            rows = ParquetSerializer.DeserializeUntypedAsync(stream, cancellationToken: cancellation)
                .GetAwaiter().GetResult().Data;
            return null;
        }
#pragma warning disable CA1031 // See the remarks: casts, overflows, missing references and more.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e.Message.ReplaceLineEndings(" ").Trim();
        }
    }

    private static void Add(Dictionary<string, object> row, RowCollector found)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in row)
        {
            try
            {
                fields[name] = JsonSerializer.SerializeToElement(value);
            }
            catch (Exception e) when (e is NotSupportedException or ArgumentException or JsonException)
            {
                found.Fault(found.Count + 1, name, $"holds a value of a kind that is no text: {value.GetType().Name}.");
            }
        }

        found.Row(found.Count + 1, fields);
    }
}
