using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>An error in one row: <c>file:line: field: reason</c>.</summary>
/// <param name="Source">The file and the line.</param>
/// <param name="Field">The field at fault; empty where the whole line or file is.</param>
/// <param name="Reason">What was found and what was expected.</param>
public sealed record DataFault(RowSource Source, string Field, string Reason)
{
    public override string ToString() => Field.Length == 0 ? $"{Source}: {Reason}" : $"{Source}: {Field}: {Reason}";
}

/// <summary>The text of several faults.</summary>
public static class DataFaults
{
    /// <summary>The number of faults printed; the rest are counted.</summary>
    public const int Printed = 20;

    /// <summary>One fault a line, at most <paramref name="most"/>, then how many there are in all.</summary>
    public static string Report(IReadOnlyList<DataFault> faults, int most = Printed)
    {
        var text = new StringBuilder();
        foreach (var fault in faults.Take(most))
        {
            text.Append(fault).Append('\n');
        }

        return text.Append(faults.Count > most
            ? $"… and {faults.Count - most} more: {faults.Count} faults in all."
            : $"{Counted.Of(faults.Count, "fault")} in all.").ToString();
    }
}
