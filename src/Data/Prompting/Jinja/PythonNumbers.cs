using System.Globalization;

namespace SafeLlama.Data;

/// <summary>Arithmetic as Python does it, on whole numbers of 64 bits and on doubles.</summary>
internal static class PythonNumbers
{
    public static bool IsNumber(object? value) => value is bool or long or double;

    public static double ToDouble(object value) => value switch
    {
        bool truth => truth ? 1 : 0,
        long whole => whole,
        _ => (double)value,
    };

    /// <summary>A whole number, true and false included; null for anything else.</summary>
    public static long? ToWhole(object? value) => value switch
    {
        bool truth => truth ? 1 : 0,
        long whole => whole,
        _ => null,
    };

    /// <summary>Order; null where one of them is no number.</summary>
    public static int? Compare(object a, object b)
    {
        if (ToWhole(a) is { } first && ToWhole(b) is { } second)
        {
            return first.CompareTo(second);
        }

        var (x, y) = (ToDouble(a), ToDouble(b));
        return double.IsNaN(x) || double.IsNaN(y) ? null : x.CompareTo(y);
    }

    /// <exception cref="JinjaFault">The result is beyond 64 bits, or the divisor is 0.</exception>
    public static object Compute(string op, object a, object b)
    {
        try
        {
            return ToWhole(a) is { } x && ToWhole(b) is { } y && op != "/"
                ? Whole(op, x, y)
                : (object)Fraction(op, ToDouble(a), ToDouble(b));
        }
        catch (OverflowException)
        {
            throw new JinjaFault("the result is beyond 64 bits");
        }
    }

    public static object Negate(object value) => value switch
    {
        double number => (object)-number,
        _ when ToWhole(value) is { } whole and not long.MinValue => -whole,
        _ => throw new JinjaFault("the result is beyond 64 bits"),
    };

    /// <summary>Python's <c>repr</c>: the shortest digits that give the number back.</summary>
    public static string Print(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var (digits, exponent) = Digits(value.ToString("R", CultureInfo.InvariantCulture));
        var sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        return sign + (exponent < 0 ? "0." + new string('0', -exponent - 1) + digits
            : digits.Length <= exponent + 1 ? digits.PadRight(exponent + 1, '0') + ".0"
            : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..]);
    }

    /// <summary>The significant digits of a number and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) Digits(string shortest)
    {
        var mantissa = shortest.TrimStart('-');
        var shift = 0;
        if (mantissa.IndexOf('E', StringComparison.Ordinal) is var e and >= 0)
        {
            shift = int.Parse(mantissa[(e + 1)..], CultureInfo.InvariantCulture);
            mantissa = mantissa[..e];
        }

        var point = mantissa.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? dot : mantissa.Length;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = all.Length - all.TrimStart('0').Length;
        var digits = all.Trim('0');
        return digits.Length == 0 ? ("0", 0) : (digits, point - leading - 1 + shift);
    }

    private static object Whole(string op, long x, long y) => op switch
    {
        "+" => (object)checked(x + y),
        "-" => checked(x - y),
        "*" => checked(x * y),
        "//" when y != 0 => checked((x / y) - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0)),
        "%" when y == -1 => 0L,
        "%" when y != 0 => x % y is var rest && rest != 0 && (rest < 0) != (y < 0) ? rest + y : x % y,
        "**" when y >= 0 => Power(x, y),
        "**" when x != 0 => Math.Pow(x, y),
        "**" => throw new JinjaFault("0 has no negative power"),
        _ => throw new JinjaFault("division by 0"),
    };

    private static long Power(long x, long y)
    {
        long result = 1;
        while (y > 0)
        {
            if ((y & 1) == 1)
            {
                result = checked(result * x);
            }

            y >>= 1;
            x = y > 0 ? checked(x * x) : x;
        }

        return result;
    }

    private static double Fraction(string op, double x, double y) => op switch
    {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" when y != 0 => x / y,
        "//" when y != 0 => Math.Floor(x / y),
        "%" when y != 0 => x - (y * Math.Floor(x / y)),
        "**" when x < 0 && y != Math.Floor(y) => throw new JinjaFault("a negative number has no such power"),
        "**" when x == 0 && y < 0 => throw new JinjaFault("0 has no negative power"),
        "**" => Math.Pow(x, y),
        _ => throw new JinjaFault("division by 0"),
    };
}
