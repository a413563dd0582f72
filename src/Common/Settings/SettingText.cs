using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SafeLlama.Common;

/// <summary>Converts a setting's value to text, as command lines, recipes and run files hold it, and back.</summary>
public static class SettingText
{
    /// <summary>Between the values of a list.</summary>
    public const char Separator = '\n';

    /// <summary>The name of a property in kebab case: <c>MicroBatch</c> is <c>micro-batch</c>.</summary>
    public static string NameOf(string property) => JsonNamingPolicy.KebabCaseLower.ConvertName(property);

    /// <summary>The property of a name: <c>micro-batch</c> is <c>MicroBatch</c>.</summary>
    public static string PropertyOf(string name) =>
        string.Concat(name.Split('-').Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    /// <summary>The text of a value; empty for none.</summary>
    public static string Of(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        double number => OfNumber(number),
        Enum name => NameOf(name),
        IEnumerable<string> list => string.Join(Separator, list),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    /// <summary>The value that a text stands for. Empty text means no value where the type allows it.</summary>
    /// <returns>False where it is not of the type's form.</returns>
    public static bool TryRead(Type type, string text, out object? value)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        value = null;
        if (text.Length == 0 && (plain != type || !type.IsValueType))
        {
            value = IsList(type) ? Array.Empty<string>() : null;
            return true;
        }

        if (plain == typeof(string))
        {
            value = text;
        }
        else if (IsList(plain))
        {
            value = text.Split(Separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        else if (plain.IsEnum)
        {
            value = Enum.GetValues(plain).Cast<Enum>().FirstOrDefault(name => NameOf(name) == text);
        }
        else if (plain == typeof(double))
        {
            value = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                && double.IsFinite(number) ? number : null;
        }
        else
        {
            value = Parsed(plain, text);
        }

        return value is not null;
    }

    /// <summary>The form that a text of this type must have, for an error message.</summary>
    public static string Expected(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain.IsEnum ? "one of " + string.Join(", ", Choices(plain))
            : plain == typeof(bool) ? "true or false"
            : plain == typeof(int) || plain == typeof(long) ? "a whole number"
            : plain == typeof(double) ? "a number"
            : plain.GetCustomAttribute<DescriptionAttribute>()?.Description ?? "a text";
    }

    /// <summary>The texts of an enumeration's values.</summary>
    public static IEnumerable<string> Choices(Type type) => Enum.GetValues(type).Cast<Enum>().Select(NameOf);

    public static bool IsList(Type type) => type == typeof(IReadOnlyList<string>);

    private static string NameOf(Enum value)
    {
        var name = value.ToString();
        return value.GetType().GetField(name)?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name
            ?? NameOf(name);
    }

    private static string OfNumber(double number) => number != 0 && Math.Abs(number) < 1e-3
        ? number.ToString("0.################e-0", CultureInfo.InvariantCulture)
        : number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A value of a type that has a parser of its own: <see cref="IParsable{TSelf}"/>.</summary>
    private static object? Parsed(Type type, string text)
    {
        var parser = type.GetMethod(
            "TryParse", BindingFlags.Public | BindingFlags.Static,
            [typeof(string), typeof(IFormatProvider), type.MakeByRefType()]);
        object?[] arguments = [text, CultureInfo.InvariantCulture, null];
        return parser is null
            ? bool.TryParse(text, out var flag) ? flag : null
            : parser.Invoke(null, arguments) is true ? arguments[2] : null;
    }
}
