using System.ComponentModel;
using System.Globalization;

namespace SafeLlama.Common;

/// <summary>A share of something, from 0 to 1, written as <c>0.05</c> or as <c>5%</c>.</summary>
/// <param name="Value">In [0, 1].</param>
[Description("a share such as 0.05 or 5%")]
public readonly record struct Share(double Value)
{
    public static implicit operator double(Share share) => share.Value;

    public static implicit operator Share(double value) => new(value);

    /// <summary>Reads a share, as <see cref="IParsable{TSelf}"/> would.</summary>
    public static bool TryParse(string? text, IFormatProvider? provider, out Share share)
    {
        var isPercent = text?.EndsWith('%') == true;
        var isRead = double.TryParse(
            isPercent ? text![..^1] : text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        share = new(isPercent ? value / 100 : value);
        return isRead && share.Value is >= 0 and <= 1;
    }

    public override string ToString() => SettingText.Of(Value);
}
