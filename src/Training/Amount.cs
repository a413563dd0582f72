using System.ComponentModel;
using System.Globalization;

namespace SafeLlama.Training;

/// <summary>A count, or a share of something counted: <c>200</c>, <c>5%</c> or <c>0.05</c>.</summary>
/// <param name="Value">The count, or the share in [0, 1].</param>
[Description("a count such as 200 or a share such as 5% or 0.05")]
public readonly record struct Amount(double Value, bool IsShare)
{
    /// <summary>Reads a text, as <see cref="IParsable{TSelf}"/> would.</summary>
    public static bool TryParse(string? text, IFormatProvider? provider, out Amount amount)
    {
        var read = text is null ? null : TryParse(text);
        amount = read ?? default;
        return read is not null;
    }

    public static Amount None => default;

    public static Amount Count(int count) => new(count, IsShare: false);

    public static Amount Share(double share) => new(share, IsShare: true);

    /// <summary>Reads <c>200</c>, <c>5%</c> or <c>0.05</c>; null where it is none of them. A number between 0 and 1
    /// is a share, and 1 is a count.</summary>
    public static Amount? TryParse(string text)
    {
        var isCount = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var count)
            && count >= 0 && count == Math.Truncate(count) && count <= int.MaxValue;
        return isCount ? new(count, IsShare: false)
            : Common.Share.TryParse(text, CultureInfo.InvariantCulture, out var share) ? Share(share.Value)
            : null;
    }

    /// <summary>How many of <paramref name="total"/>; a share is rounded down.</summary>
    /// <remarks>29% of 100 is 29, though 0.29 · 100 is a little less in fp64: the product is rounded first.</remarks>
    public int Of(int total) => (int)(IsShare ? Math.Floor(Math.Round(Value * total, 6)) : Value);

    /// <summary>How many of <paramref name="total"/>; a share is rounded up, as Hugging Face's Trainer does with
    /// <c>warmup_ratio</c>.</summary>
    public int OfAtLeast(int total) => (int)(IsShare ? Math.Ceiling(Math.Round(Value * total, 6)) : Value);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture,
            $"{(IsShare ? Value * 100 : Value):0.######}{(IsShare ? "%" : "")}");
}
