using System.Globalization;
using System.Net.Http.Headers;

namespace SafeLlama.Evaluation;

/// <summary>How long to wait before a further try.</summary>
internal static class RetryPause
{
    /// <summary>
    /// The pause that the server requests in <c>retry-after-ms</c> or <c>Retry-After</c> (seconds or a date); null
    /// where it requests none that is valid.
    /// </summary>
    /// <remarks>A date is measured against the server's own clock where the reply shows it.</remarks>
    public static TimeSpan? Asked(HttpResponseHeaders headers, DateTimeOffset now)
    {
        if (headers.TryGetValues("retry-after-ms", out var values)
            && double.TryParse(values.First(), NumberStyles.Float, CultureInfo.InvariantCulture, out var ms)
            && ms is >= 0 and < 1e12)
        {
            return TimeSpan.FromMilliseconds(ms);
        }

        var pause = headers.RetryAfter?.Delta ?? headers.RetryAfter?.Date - (headers.Date ?? now);
        return pause < TimeSpan.Zero ? headers.RetryAfter?.Date is null ? null : TimeSpan.Zero : pause;
    }
}
