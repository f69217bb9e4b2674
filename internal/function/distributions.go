package function

import "math"

// Distributions of test statistics: normal, Student's t, Fisher's F.

// normalCDF is the probability of a standard normal value up to z.
func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// normalAbove is the z above which a standard normal value is with probability p.
func normalAbove(p float64) float64 { return math.Sqrt2 * math.Erfcinv(2*p) }

// studentCDF is the probability of a value up to t at that many degrees of freedom, which are above 0.
func studentCDF(t, freedom float64) float64 {
	x := t * t / (freedom + t*t)
	if math.IsInf(t, 0) {
		x = 1
	}
	outside := betaRatio(freedom/2, 0.5, 1-x, x) / 2
	if t > 0 {
		return 1 - outside
	}
	return outside
}

// studentAbove is the t ≥ 0 above which a value is with probability p ≤ 0.5: found by halving, down to neighbouring numbers.
func studentAbove(p, freedom float64) float64 {
	low, high := 0.0, 1.0
	for studentCDF(-high, freedom) > p && high < math.MaxFloat64/4 {
		low, high = high, 2*high
	}
	for {
		mid := low + (high-low)/2
		if mid <= low || mid >= high {
			return mid
		}
		if studentCDF(-mid, freedom) > p {
			low = mid
		} else {
			high = mid
		}
	}
}

// fisherCDF is the probability of a value up to f at d1 and d2 degrees of freedom.
func fisherCDF(f, d1, d2 float64) float64 {
	return betaRatio(d1/2, d2/2, d1*f/(d1*f+d2), d2/(d1*f+d2))
}

// betaRatio is the regularised incomplete beta function of x, where y is 1-x as exactly as the caller knows it.
func betaRatio(a, b, x, y float64) float64 {
	switch {
	case x <= 0:
		return 0
	case y <= 0:
		return 1
	case x != x:
		return x
	}
	front := betaFront(a, b, x, y)
	if x < (a+1)/(a+b+2) {
		return front * betaFraction(a, b, x) / a
	}
	return 1 - front*betaFraction(b, a, y)/b
}

// betaFront is x^a·y^b over the beta function: of powers and gamma functions, or of logarithms where these would not fit in a number.
func betaFront(a, b, x, y float64) float64 {
	if a+b < 150 {
		if p := math.Pow(x, a) * math.Pow(y, b); p > 1e-250 {
			return p * (math.Gamma(a+b) / math.Gamma(a) / math.Gamma(b))
		}
	}
	return math.Exp(a*logOf(x, y) + b*logOf(y, x) - logBeta(a, b))
}

// logOf is the logarithm of x = 1-y, of whichever is known better.
func logOf(x, y float64) float64 {
	if y < 0.5 {
		return math.Log1p(-y)
	}
	return math.Log(x)
}

// betaSteps bounds the continued fraction: it converges after some multiples of the root of the greater parameter.
const betaSteps = 100_000

// betaFraction is the continued fraction of the incomplete beta function, evaluated from the front (Lentz).
func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	away := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m < betaSteps; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / away(1+even*d)
		c = away(1 + even/c)
		h *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / away(1+odd*d)
		c = away(1 + odd/c)
		h *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return h
}

// logBeta is the logarithm of the beta function. Of great parameters the logarithms of the gamma function nearly cancel: there their
// difference is taken term by term.
func logBeta(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	lb, _ := math.Lgamma(b)
	if a < 20 {
		la, _ := math.Lgamma(a)
		lab, _ := math.Lgamma(a + b)
		return la + lb - lab
	}
	grown := (a-0.5)*math.Log1p(b/a) + b*math.Log(a+b) - b + stirling(a+b) - stirling(a)
	return lb - grown
}

// stirling is what Stirling's formula leaves out of the logarithm of gamma(x), for x from 20 on.
func stirling(x float64) float64 {
	s := 1 / (x * x)
	return (1.0/12 - s*(1.0/360-s*(1.0/1260-s*(1.0/1680-s*(1.0/1188))))) / x
}
